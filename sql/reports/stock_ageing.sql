-- How long the stock of each warehouse has been there, and what it is worth.
-- age: days since it came in
-- days: the lower bound of the age, to sort by
-- value: as Odoo values it, else quantity by the cost of today
SELECT
    s.warehouse_id, w.name AS warehouse, a.age, a.days, s.currency,
    count(DISTINCT s.product_id) AS products,
    sum(s.quantity) AS quantity,
    sum(coalesce(s.value, s.quantity * s.unit_cost)) AS value
FROM warehouse.fact_stock s
JOIN warehouse.fact_stock_locations l ON l.id = s.location_id AND l.usage = 'internal'
LEFT JOIN (
    VALUES ('0-30', 0, 31), ('31-60', 31, 61), ('61-90', 61, 91), ('91-180', 91, 181), ('181-365', 181, 366),
        ('over 365', 366, NULL)
) AS a (age, days, before)
    ON s.in_date IS NOT NULL
    AND greatest(current_date - s.in_date::date, 0) >= a.days
    AND (a.before IS NULL OR greatest(current_date - s.in_date::date, 0) < a.before)
LEFT JOIN warehouse.fact_warehouse w ON w.id = s.warehouse_id
WHERE s.quantity <> 0
GROUP BY s.warehouse_id, w.name, a.age, a.days, s.currency
