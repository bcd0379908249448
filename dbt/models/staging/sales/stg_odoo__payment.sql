SELECT
    id AS payment_id,
    {{ odoo_key("'pos'", 'order_id') }} AS order_key,
    order_id,
    business_date,
    branch_id,
    session_id,
    payment_method_id,
    amount,
    currency,
    is_change IS TRUE AS is_change,
    card_type,
    card_brand,
    payment_date AS paid_at,
    company_id,
    odoo_write_date,
    synced_at
FROM {{ source('odoo', 'fact_payments') }}
