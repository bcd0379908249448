WITH RECURSIVE buyers AS (
    SELECT customer_id, customer_id AS buyer_id, customer AS buyer
    FROM {{ ref('stg_odoo__customer') }}
    WHERE is_company OR parent_id IS NULL
    UNION ALL
    SELECT c.customer_id, b.buyer_id, b.buyer
    FROM {{ ref('stg_odoo__customer') }} AS c
    JOIN buyers AS b ON b.customer_id = c.parent_id
    WHERE NOT c.is_company
),

bought AS (
    SELECT
        customer_id,
        min(business_date) FILTER (WHERE NOT is_refund) AS first_order_on,
        max(business_date) FILTER (WHERE NOT is_refund) AS last_order_on,
        count(*) FILTER (WHERE NOT is_refund) AS orders,
        count(*) FILTER (WHERE is_refund) AS refunds,
        count(DISTINCT currency) AS currencies,
        min(currency) AS currency,
        sum(revenue) AS revenue
    FROM {{ ref('odoo__orders') }}
    WHERE is_sale AND NOT is_settlement
    GROUP BY customer_id
)

SELECT
    c.customer_id,
    c.customer,
    b.buyer_id,
    b.buyer,
    c.is_company,
    c.parent_id,
    c.is_customer,
    c.is_vendor,
    c.email,
    c.phone,
    c.mobile,
    c.street,
    c.street2,
    c.city,
    c.zip,
    c.state,
    c.country_code,
    c.vat,
    c.ref,
    c.lang,
    c.tags,
    c.salesperson_id,
    c.team_id,
    c.created_on,
    s.first_order_on,
    s.last_order_on,
    coalesce(s.orders, 0) AS orders,
    coalesce(s.refunds, 0) AS refunds,
    coalesce(s.currencies, 0) AS currencies,
    CASE s.currencies WHEN 1 THEN s.currency END AS currency,
    CASE s.currencies WHEN 1 THEN s.revenue END AS revenue,
    c.is_active,
    c.deleted_at,
    c.synced_at
FROM {{ ref('stg_odoo__customer') }} AS c
LEFT JOIN buyers AS b ON b.customer_id = c.customer_id
LEFT JOIN bought AS s ON s.customer_id = c.customer_id
