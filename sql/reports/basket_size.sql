-- What an order at a branch has in it, month by month. Refunds and reward lines are left out.
-- month: its first day
-- lines: of an order, on average
-- units: of an order, on average
-- amount: of an order, on average and with taxes
SELECT
    date_trunc('month', s.business_date::timestamp)::date AS month,
    s.branch_id, b.name AS branch, s.currency,
    count(*) AS orders,
    round(avg(s.lines + s.settled_lines), 2) AS lines,
    round(avg(s.units + s.settled_units), 2) AS units,
    round(avg(s.amount), 2) AS amount
FROM reports.sales s
LEFT JOIN warehouse.dim_branches b ON b.id = s.branch_id
WHERE s.channel = 'pos' AND NOT s.is_refund
GROUP BY 1, s.branch_id, b.name, s.currency
