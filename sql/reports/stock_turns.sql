-- Stock of each company's storable products, and what was sold of them in the last 90 days.
-- company_id: NULL for stock in places of no company
-- on_hand: in internal locations, in the product's unit
-- reserved: what of it is reserved
-- sold: in the last 90 days, less what came back
-- other_units: lines in another unit than the product's, which are not in sold
WITH stock AS (
    SELECT s.company_id, s.product_id, sum(s.quantity) AS on_hand, sum(s.reserved) AS reserved
    FROM warehouse.fact_stock s
    JOIN warehouse.fact_stock_locations l ON l.id = s.location_id AND l.usage = 'internal'
    GROUP BY s.company_id, s.product_id
),
sold AS (
    SELECT l.company_id, l.product_id,
        sum(l.units) FILTER (WHERE l.uom IS NOT DISTINCT FROM p.uom) AS sold,
        count(*) FILTER (WHERE l.uom IS DISTINCT FROM p.uom) AS other_units
    FROM reports.sales_lines l
    JOIN warehouse.dim_products p ON p.id = l.product_id
    WHERE l.business_date > current_date - 90
    GROUP BY l.company_id, l.product_id
),
turns AS (
    SELECT
        company_id, product_id,
        coalesce(stock.on_hand, 0) AS on_hand,
        coalesce(stock.reserved, 0) AS reserved,
        coalesce(sold.sold, 0) AS sold,
        coalesce(sold.other_units, 0) AS other_units
    FROM stock
    FULL JOIN sold USING (company_id, product_id)
)
SELECT
    t.company_id, t.product_id, p.name AS product, p.sku, p.uom, t.on_hand, t.reserved, t.sold, t.other_units
FROM turns t
JOIN warehouse.dim_products p ON p.id = t.product_id AND p.is_storable AND p.deleted_at IS NULL
