SELECT
    id AS branch_id,
    name AS branch,
    company_id,
    company_name AS company,
    warehouse_id,
    team_id,
    currency,
    timezone,
    pricelist,
    active AS is_active,
    deleted_at,
    synced_at
FROM {{ source('odoo', 'dim_branches') }}
