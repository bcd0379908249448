SELECT
    id AS warehouse_id,
    name AS warehouse,
    code,
    company_id,
    partner_id,
    view_location_id,
    stock_location_id,
    active AS is_active,
    deleted_at,
    synced_at
FROM {{ source('odoo', 'fact_warehouse') }}
