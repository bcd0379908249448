SELECT
    id AS category_id,
    name AS category,
    complete_name AS category_path,
    parent_id,
    active AS is_active,
    deleted_at,
    synced_at
FROM {{ source('odoo', 'dim_categories') }}
