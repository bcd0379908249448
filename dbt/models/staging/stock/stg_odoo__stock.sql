SELECT
    id AS stock_id,
    product_id,
    location_id,
    warehouse_id,
    lot,
    owner_id,
    quantity,
    reserved,
    available,
    unit_cost,
    value,
    in_date AS came_in_at,
    currency,
    company_id,
    odoo_write_date,
    synced_at
FROM {{ source('odoo', 'fact_stock') }}
