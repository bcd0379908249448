-- Products that a shop sells and does not have: active storable products without stock in a warehouse that has held
-- them, or whose branches have sold them.
-- on_hand: in the internal locations of the warehouse; less than 0 where more was sold than there was
-- last_sale: at one of the branches that sell from the warehouse
-- sold: there in the last 90 days, less what came back, in the units of the lines
WITH stock AS (
    SELECT s.warehouse_id, s.product_id, sum(s.quantity) AS on_hand
    FROM warehouse.fact_stock s
    JOIN warehouse.fact_stock_locations l ON l.id = s.location_id AND l.usage = 'internal'
    GROUP BY s.warehouse_id, s.product_id
),
sold AS (
    SELECT b.warehouse_id, l.product_id,
        max(l.business_date) FILTER (WHERE l.units > 0) AS last_sale,
        sum(l.units) FILTER (WHERE l.business_date > current_date - 90) AS sold
    FROM reports.sales_lines l
    JOIN warehouse.dim_branches b ON b.id = l.branch_id
    GROUP BY b.warehouse_id, l.product_id
),
places AS (
    SELECT warehouse_id, product_id, coalesce(stock.on_hand, 0) AS on_hand, sold.last_sale, coalesce(sold.sold, 0) AS sold
    FROM stock
    FULL JOIN sold USING (warehouse_id, product_id)
)
SELECT
    s.warehouse_id, w.name AS warehouse, s.product_id, p.name AS product, p.sku, p.uom, s.on_hand, s.last_sale, s.sold
FROM places s
JOIN warehouse.fact_warehouse w ON w.id = s.warehouse_id AND w.active AND w.deleted_at IS NULL
JOIN warehouse.dim_products p
    ON p.id = s.product_id AND p.is_storable AND p.sale_ok AND p.active AND p.deleted_at IS NULL
WHERE s.on_hand <= 0
