SELECT
    id AS user_id,
    name AS user_name,
    login,
    email,
    partner_id,
    team_id,
    employee_id,
    is_external IS TRUE AS is_external,
    company_id,
    active AS is_active,
    deleted_at,
    synced_at
FROM {{ source('odoo', 'dim_users') }}
