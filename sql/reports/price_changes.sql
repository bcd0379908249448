-- Purchase orders whose price differs from that of the vendor's order before for the same product and unit.
-- price: after the discount, before taxes
-- price_before: that of the order before
-- percent: how much dearer it became
WITH prices AS (
    SELECT
        id, order_id, order_reference, vendor_id, product_id, company_id, uom, currency, ordered_at,
        price_unit * (1 - coalesce(discount_percent, 0) / 100) AS price,
        lag(price_unit * (1 - coalesce(discount_percent, 0) / 100)) OVER before AS price_before,
        lag(ordered_at) OVER before AS ordered_before
    FROM warehouse.fact_purchases
    WHERE state IN ('purchase', 'done')
    WINDOW before AS (PARTITION BY vendor_id, product_id, company_id, uom, currency ORDER BY ordered_at, id)
)
SELECT
    f.vendor_id, v.name AS vendor, f.product_id, p.name AS product, f.company_id, f.uom, f.currency, f.order_reference,
    f.ordered_at, f.ordered_before, f.price_before, f.price,
    round((f.price - f.price_before) / nullif(f.price_before, 0) * 100, 1) AS percent
FROM prices f
LEFT JOIN warehouse.dim_customers v ON v.id = f.vendor_id
LEFT JOIN warehouse.dim_products p ON p.id = f.product_id
WHERE f.price <> f.price_before
