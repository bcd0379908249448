-- When sales prices and costs of products changed, as far as the history goes: SELECT
-- odoo_keep_history('dim_products') begins it.
-- changed_at: when the new price began
-- percent: how much dearer it became
WITH prices AS (
    SELECT
        id, name, sku, valid_from, list_price, standard_price,
        lag(list_price) OVER before AS list_price_before,
        lag(standard_price) OVER before AS standard_price_before,
        row_number() OVER before AS version
    FROM warehouse.dim_products_history
    WINDOW before AS (PARTITION BY id ORDER BY valid_from)
)
SELECT
    id AS product_id, name AS product, sku, valid_from AS changed_at, list_price_before, list_price,
    round((list_price - list_price_before) / nullif(list_price_before, 0) * 100, 1) AS percent,
    standard_price_before, standard_price
FROM prices
WHERE version > 1
  AND (list_price, standard_price) IS DISTINCT FROM (list_price_before, standard_price_before)
