-- The products that sold most of those that a shop does not have, and how many there are.
SELECT json_build_object(
    'count', (SELECT count(*) FROM reports.stock_outs),
    'rows', coalesce(json_agg(r ORDER BY r.sold DESC, r.product, r.warehouse), '[]')
)
FROM (
    SELECT warehouse, product, sku, on_hand, sold, last_sale
    FROM reports.stock_outs
    ORDER BY sold DESC, product, warehouse
    LIMIT 25
) r
