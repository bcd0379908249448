-- When the branches sell: orders by the hour of the day, in the last 90 days with sales. The 30 branches that sell most.
WITH recent AS (
    SELECT max(business_date) AS last FROM reports.sales_by_hour WHERE business_date <= current_date
),
sold AS (
    SELECT h.hour, h.branch_id, h.branch, h.currency, sum(h.orders) AS orders, sum(h.amount) AS amount
    FROM reports.sales_by_hour h
    CROSS JOIN recent r
    WHERE h.business_date > r.last - 90 AND h.business_date <= current_date
    GROUP BY h.hour, h.branch_id, h.branch, h.currency
),
places AS (
    SELECT branch_id, row_number() OVER (ORDER BY sum(orders) DESC, branch_id) AS place FROM sold GROUP BY branch_id
)
SELECT json_build_object('rows', coalesce(json_agg(r ORDER BY r.hour, r.branch_id), '[]'))
FROM (
    SELECT s.hour, s.branch_id, s.branch, s.currency, s.orders, s.amount
    FROM sold s
    JOIN places p ON p.branch_id IS NOT DISTINCT FROM s.branch_id
    WHERE p.place <= 30
) r
