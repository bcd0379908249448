-- Products that are bought together at the points of sale: each pair once, by the lower id first.
-- orders: orders with both
-- percent: of all orders
-- percent_of_product: of the orders with the product
-- percent_of_other: of the orders with the other one
-- lift: how many times as often as if they had nothing to do with each other
WITH items AS (
    SELECT DISTINCT order_id, product_id
    FROM reports.sales_lines
    WHERE channel = 'pos' AND NOT is_refund AND NOT is_reward AND units > 0 AND product_id IS NOT NULL
),
each AS (
    SELECT product_id, count(*) AS orders FROM items GROUP BY product_id
),
pairs AS (
    SELECT one.product_id, other.product_id AS other_id, count(*) AS orders
    FROM items one
    JOIN items other ON other.order_id = one.order_id AND other.product_id > one.product_id
    GROUP BY one.product_id, other.product_id
)
SELECT
    pairs.product_id, p.name AS product, pairs.other_id, q.name AS other, pairs.orders,
    round(100.0 * pairs.orders / total.orders, 2) AS percent,
    round(100.0 * pairs.orders / a.orders, 2) AS percent_of_product,
    round(100.0 * pairs.orders / b.orders, 2) AS percent_of_other,
    round(1.0 * pairs.orders * total.orders / (a.orders * b.orders), 2) AS lift
FROM pairs
JOIN each a ON a.product_id = pairs.product_id
JOIN each b ON b.product_id = pairs.other_id
CROSS JOIN (SELECT count(DISTINCT order_id) AS orders FROM items) total
LEFT JOIN warehouse.dim_products p ON p.id = pairs.product_id
LEFT JOIN warehouse.dim_products q ON q.id = pairs.other_id
