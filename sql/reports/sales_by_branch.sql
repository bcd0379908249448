-- What each branch sold in each month, and what came back.
-- month: its first day
-- sales: orders that are no refunds
-- refunds: orders with a negative amount
-- sold: amount of the sales, with taxes
-- refunded: amount of the refunds, with taxes
-- refund_percent: what of the amount sold was paid back
-- average: amount of a sale
SELECT
    date_trunc('month', s.business_date::timestamp)::date AS month,
    s.branch_id, b.name AS branch, s.currency,
    count(*) FILTER (WHERE NOT s.is_refund) AS sales,
    count(*) FILTER (WHERE s.is_refund) AS refunds,
    coalesce(sum(s.amount) FILTER (WHERE NOT s.is_refund), 0) AS sold,
    coalesce(-sum(s.amount) FILTER (WHERE s.is_refund), 0) AS refunded,
    round(
        coalesce(-sum(s.amount) FILTER (WHERE s.is_refund), 0)
        / nullif(sum(s.amount) FILTER (WHERE NOT s.is_refund), 0) * 100,
        1
    ) AS refund_percent,
    round(avg(s.amount) FILTER (WHERE NOT s.is_refund), 2) AS average
FROM reports.sales s
LEFT JOIN warehouse.dim_branches b ON b.id = s.branch_id
WHERE s.channel = 'pos'
GROUP BY 1, s.branch_id, b.name, s.currency
