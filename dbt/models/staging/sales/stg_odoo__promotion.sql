SELECT
    id AS promotion_id,
    name AS promotion,
    program_type,
    (program_type IN ('gift_card', 'ewallet')) IS TRUE AS is_way_to_pay,
    trigger,
    applies_on,
    date_from,
    date_to,
    max_usage,
    currency,
    company_id,
    rewards,
    active AS is_active,
    deleted_at,
    synced_at
FROM {{ source('odoo', 'dim_promotions') }}
