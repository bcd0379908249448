SELECT
    id AS stock_daily_id,
    day,
    until,
    product_id,
    location_id,
    lot,
    owner_id,
    quantity,
    reserved,
    value,
    currency,
    taken_at
FROM {{ source('odoo', 'fact_stock_daily') }}
