-- What a unit of each product costs on each day, for lines whose cost Odoo has not noted: by the history of
-- dim_products, and on days before that begins the cost of today.
-- company_id: whose cost it is; Odoo keeps one for each company
-- cost: of one in the product's unit, in the company's currency
-- from_day: the first day of that cost
-- until_day: the day after the last one
-- is_of_today: whether it is the cost of today
WITH versions AS (
    SELECT
        id, cost_company_id, uom, standard_price, (valid_from AT TIME ZONE 'UTC')::date AS from_day,
        lead((valid_from AT TIME ZONE 'UTC')::date, 1, 'infinity') OVER (PARTITION BY id ORDER BY valid_from) AS until_day
    FROM warehouse.dim_products_history
)
SELECT
    id AS product_id, cost_company_id AS company_id, uom, standard_price AS cost, from_day, until_day,
    false AS is_of_today
FROM versions
WHERE from_day < until_day
UNION ALL
SELECT
    p.id, p.cost_company_id, p.uom, p.standard_price, '-infinity', coalesce(v.from_day, 'infinity'), true
FROM warehouse.dim_products p
LEFT JOIN (SELECT id, min(from_day) AS from_day FROM versions GROUP BY id) v ON v.id = p.id
