SELECT
    o.business_date,
    o.channel,
    o.branch_id,
    b.branch,
    o.company_id,
    o.currency,
    count(*) AS orders,
    count(*) FILTER (WHERE o.is_refund) AS refunds,
    sum(o.units) AS units,
    sum(o.amount) AS amount,
    sum(o.amount_untaxed) AS amount_untaxed,
    sum(o.settled) AS settled,
    sum(o.revenue) AS revenue,
    sum(o.cost) AS cost,
    sum(o.margin) AS margin
FROM {{ ref('odoo__orders') }} AS o
LEFT JOIN {{ ref('stg_odoo__branch') }} AS b ON b.branch_id = o.branch_id
WHERE o.is_sale
GROUP BY o.business_date, o.channel, o.branch_id, b.branch, o.company_id, o.currency
