-- Buyers by the month of their first order, and what they bought in the months since.
-- cohort: first day of the month of their first order, in whatever currency
-- months: months since then
-- size: buyers of the cohort
-- customers: those who bought in that month
-- percent: of the cohort
-- orders: without refunds
-- revenue: before taxes, refunds taken off
WITH bought AS (
    SELECT b.buyer_id, s.currency, s.is_refund, s.revenue,
        date_trunc('month', s.business_date::timestamp)::date AS month
    FROM reports.sales s
    JOIN reports.buyers b ON b.customer_id = s.customer_id
    WHERE NOT s.is_settlement
),
first AS (
    SELECT buyer_id, min(month) AS cohort FROM bought WHERE NOT is_refund GROUP BY buyer_id
),
sizes AS (
    SELECT cohort, count(*) AS size FROM first GROUP BY cohort
)
SELECT
    f.cohort,
    ((extract(year FROM b.month) - extract(year FROM f.cohort)) * 12
        + extract(month FROM b.month) - extract(month FROM f.cohort))::integer AS months,
    b.currency, z.size,
    count(DISTINCT b.buyer_id) FILTER (WHERE NOT b.is_refund) AS customers,
    round(100.0 * count(DISTINCT b.buyer_id) FILTER (WHERE NOT b.is_refund) / z.size, 1) AS percent,
    count(*) FILTER (WHERE NOT b.is_refund) AS orders,
    sum(b.revenue) AS revenue
FROM bought b
JOIN first f ON f.buyer_id = b.buyer_id
JOIN sizes z ON z.cohort = f.cohort
GROUP BY f.cohort, b.month, b.currency, z.size
