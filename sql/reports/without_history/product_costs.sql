-- What a unit of each product costs on each day, for lines whose cost Odoo has not noted: the cost of today. Once the
-- history of dim_products is kept, the view made again tells the cost of the day.
-- company_id: whose cost it is; Odoo keeps one for each company
-- cost: of one in the product's unit, in the company's currency
-- from_day: the first day of that cost
-- until_day: the day after the last one
-- is_of_today: whether it is the cost of today
SELECT
    id AS product_id, cost_company_id AS company_id, uom, standard_price AS cost,
    '-infinity'::date AS from_day, 'infinity'::date AS until_day, true AS is_of_today
FROM warehouse.dim_products
