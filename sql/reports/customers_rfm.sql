-- Recency, frequency and money of each buyer, with a score of 1 to 5 for each: 5 for the fifth of the buyers that is
-- best. Who buys in several currencies has a row for each.
-- last_order: the day of the last order
-- recency_days: days since then
-- orders: without refunds
-- revenue: before taxes, refunds taken off
-- recency: score; buyers that are alike have the same
-- frequency: score of the number of orders
-- money: score of the revenue
WITH totals AS (
    SELECT
        b.buyer_id, b.buyer, s.currency,
        max(s.business_date) FILTER (WHERE NOT s.is_refund) AS last_order,
        count(*) FILTER (WHERE NOT s.is_refund) AS orders,
        sum(s.revenue) AS revenue
    FROM reports.sales s
    JOIN reports.buyers b ON b.customer_id = s.customer_id
    WHERE NOT s.is_settlement
    GROUP BY b.buyer_id, b.buyer, s.currency
)
SELECT
    buyer_id, buyer, currency, last_order, current_date - last_order AS recency_days, orders,
    revenue,
    ceil(5 * cume_dist() OVER (PARTITION BY currency ORDER BY last_order NULLS FIRST))::integer AS recency,
    ceil(5 * cume_dist() OVER (PARTITION BY currency ORDER BY orders))::integer AS frequency,
    ceil(5 * cume_dist() OVER (PARTITION BY currency ORDER BY revenue))::integer AS money
FROM totals
