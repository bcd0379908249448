-- When sales prices and costs of products changed, as far as the history goes: SELECT
-- odoo_keep_history('dim_products') begins it.
-- changed_at: when the new price began
-- price: the new sales price
-- price_before: the sales price before
-- percent: how much dearer it became
-- cost: the new cost
-- cost_before: the cost before
WITH prices AS (
    SELECT
        id, name, sku, valid_from, list_price AS price, standard_price AS cost,
        lag(list_price) OVER before AS price_before,
        lag(standard_price) OVER before AS cost_before,
        row_number() OVER before AS version
    FROM warehouse.dim_products_history
    WINDOW before AS (PARTITION BY id ORDER BY valid_from)
)
SELECT
    id AS product_id, name AS product, sku, valid_from AS changed_at, price_before, price,
    round((price - price_before) / nullif(price_before, 0) * 100, 1) AS percent,
    cost_before, cost
FROM prices
WHERE version > 1
  AND (price, cost) IS DISTINCT FROM (price_before, cost_before)
