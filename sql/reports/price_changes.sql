-- Purchase orders whose price differs from that of the vendor's order before for the same product and unit.
-- price: after the discount, before taxes
-- price_before: that of the order before
-- percent: how much dearer it became
WITH prices AS (
    SELECT
        id, order_reference, vendor_id, product_id, company_id, uom, currency, ordered_at,
        trim_scale(price_unit * (100 - coalesce(discount_percent, 0)) * 0.01) AS price
    FROM warehouse.fact_purchases
    WHERE state IN ('purchase', 'done')
),
changes AS (
    SELECT
        *,
        lag(price) OVER before AS price_before,
        lag(ordered_at) OVER before AS ordered_before
    FROM prices
    WINDOW before AS (PARTITION BY vendor_id, product_id, company_id, uom, currency ORDER BY ordered_at, id)
)
SELECT
    c.vendor_id, v.name AS vendor, c.product_id, p.name AS product, c.company_id, c.uom, c.currency, c.order_reference,
    c.ordered_at, c.ordered_before, c.price_before, c.price,
    round((c.price - c.price_before) / nullif(c.price_before, 0) * 100, 1) AS percent
FROM changes c
LEFT JOIN warehouse.dim_customers v ON v.id = c.vendor_id
LEFT JOIN warehouse.dim_products p ON p.id = c.product_id
WHERE c.price <> c.price_before
