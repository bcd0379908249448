SELECT
    id AS brand_id,
    name AS brand,
    description,
    partner_id,
    active AS is_active,
    deleted_at,
    synced_at
FROM {{ source('odoo', 'dim_brands') }}
