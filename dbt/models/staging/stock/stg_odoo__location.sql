SELECT
    id AS location_id,
    name AS location,
    complete_name AS location_path,
    usage,
    (usage = 'internal') IS TRUE AS is_internal,
    parent_id,
    warehouse_id,
    company_id,
    timezone,
    active AS is_active,
    deleted_at,
    synced_at
FROM {{ source('odoo', 'fact_stock_locations') }}
