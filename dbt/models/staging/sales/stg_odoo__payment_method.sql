SELECT
    id AS payment_method_id,
    name AS payment_method,
    type AS payment_method_type,
    is_cash_count,
    company_id,
    active AS is_active,
    deleted_at,
    synced_at
FROM {{ source('odoo', 'dim_payment_methods') }}
