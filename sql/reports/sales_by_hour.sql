-- When the branches sell: orders and amounts by the hour of the day, in the branch's time zone.
-- hour: 0 to 23
-- weekday: 1 for Monday to 7 for Sunday
-- orders: with refunds
-- units: quantity sold, less what came back
-- amount: with taxes, refunds taken off
SELECT
    s.business_date,
    extract(isodow FROM s.business_date)::integer AS weekday,
    extract(hour FROM s.ordered_at AT TIME ZONE b.timezone)::integer AS hour,
    s.branch_id, b.name AS branch, s.currency,
    count(*) AS orders,
    sum(s.units) AS units,
    sum(s.amount) AS amount
FROM reports.sales s
LEFT JOIN warehouse.dim_branches b ON b.id = s.branch_id
WHERE s.channel = 'pos'
GROUP BY s.business_date, 3, s.branch_id, b.name, s.currency
