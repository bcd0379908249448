-- How long each vendor takes, and how much of what was ordered has come. Quotations and canceled orders are left out.
-- planned_days: from order to planned arrival, on average
-- actual_days: from order to first arrival, on average, of orders of which something has arrived
-- late: lines of orders of which something arrived, after the day planned
-- ordered: quantity, in the units of purchase
-- received: quantity that has come
-- percent: of the quantity ordered
SELECT
    f.vendor_id, v.name AS vendor,
    count(DISTINCT f.order_id) AS orders,
    round(avg(extract(epoch FROM f.planned_at - f.ordered_at) / 86400), 1) AS planned_days,
    round(avg(extract(epoch FROM f.effective_date - f.ordered_at) / 86400), 1) AS actual_days,
    count(*) FILTER (WHERE f.effective_date::date > f.planned_at::date) AS late,
    sum(f.quantity_ordered) AS ordered,
    sum(f.quantity_received) AS received,
    round(sum(f.quantity_received) / nullif(sum(f.quantity_ordered), 0) * 100, 1) AS percent
FROM warehouse.fact_purchases f
LEFT JOIN warehouse.dim_customers v ON v.id = f.vendor_id
WHERE f.state IN ('purchase', 'done')
GROUP BY f.vendor_id, v.name
