-- Products by their share of the revenue of the last 365 days: those of class A make its first 80 percent, those of
-- B the next 15, those of C the rest.
-- revenue: before taxes, refunds taken off, without rewards
-- percent: of all products' revenue in the currency
-- cumulative_percent: of this product and those before it
WITH sold AS (
    SELECT product_id, currency, sum(units) AS units, sum(revenue) AS revenue
    FROM reports.sales_lines
    WHERE business_date > current_date - 365 AND NOT is_reward
    GROUP BY product_id, currency
),
ranked AS (
    SELECT *,
        row_number() OVER by_revenue AS place,
        greatest(revenue, 0) / nullif(sum(greatest(revenue, 0)) OVER (PARTITION BY currency), 0) AS share,
        sum(greatest(revenue, 0)) OVER by_revenue
            / nullif(sum(greatest(revenue, 0)) OVER (PARTITION BY currency), 0) AS cumulative
    FROM sold
    WINDOW by_revenue AS (PARTITION BY currency ORDER BY revenue DESC, product_id ROWS UNBOUNDED PRECEDING)
)
SELECT
    r.product_id, p.name AS product, p.sku, r.currency, r.place, r.units,
    r.revenue,
    round(100 * r.share, 2) AS percent,
    round(100 * r.cumulative, 2) AS cumulative_percent,
    CASE
        WHEN r.revenue <= 0 OR r.share IS NULL THEN 'C'
        WHEN r.cumulative - r.share < 0.80 THEN 'A'
        WHEN r.cumulative - r.share < 0.95 THEN 'B'
        ELSE 'C'
    END AS class
FROM ranked r
LEFT JOIN warehouse.dim_products p ON p.id = r.product_id
