-- What each product category earned in each month, before taxes and in the company's currency.
-- month: its first day
-- top: the category at the top of its tree
-- category: with those above it
-- revenue: of all lines
-- cost: of the lines whose cost is known: as Odoo noted it with the sale, else the product's on that day
-- estimated: the revenue of lines whose cost is the product's of today, as no history tells that of the day
-- without_cost: the revenue of lines whose cost is not known, as of another unit or another company than the product's
-- margin: of the lines whose cost is known
-- percent: margin of their revenue
WITH RECURSIVE tree AS (
    SELECT id, name AS top, complete_name
    FROM warehouse.dim_categories
    WHERE parent_id IS NULL
    UNION ALL
    SELECT c.id, t.top, c.complete_name
    FROM warehouse.dim_categories c
    JOIN tree t ON t.id = c.parent_id
),
lines AS (
    SELECT
        date_trunc('month', o.business_date::timestamp)::date AS month,
        o.company_id, p.category_id, l.subtotal_company AS revenue,
        coalesce(l.cost_company, l.quantity * k.cost) AS cost,
        l.cost_company IS NULL AND k.is_of_today AS is_estimated
    FROM warehouse.fact_sales_lines l
    JOIN warehouse.all_sales o ON o.channel = l.channel AND o.id = l.order_id
    LEFT JOIN warehouse.dim_products p ON p.id = l.product_id
    LEFT JOIN reports.product_costs k
        ON k.product_id = l.product_id AND k.company_id = o.company_id
        AND o.business_date >= k.from_day AND o.business_date < k.until_day
        AND (l.uom IS NULL OR l.uom = k.uom)
    WHERE o.state IN ('paid', 'done', 'invoiced', 'sale') AND l.settles_line_id IS NULL
)
SELECT
    l.month, l.company_id, c.name AS company, c.currency, t.top, l.category_id, t.complete_name AS category,
    -- Converted at a rate, they may have any number of digits.
    trim_scale(round(sum(l.revenue), 4)) AS revenue,
    trim_scale(round(sum(l.cost), 4)) AS cost,
    trim_scale(round(coalesce(sum(l.revenue) FILTER (WHERE l.is_estimated), 0), 4)) AS estimated,
    trim_scale(round(coalesce(sum(l.revenue) FILTER (WHERE l.cost IS NULL), 0), 4)) AS without_cost,
    trim_scale(round(sum(l.revenue - l.cost), 4)) AS margin,
    round(
        sum(l.revenue - l.cost) / nullif(sum(l.revenue) FILTER (WHERE l.cost IS NOT NULL), 0) * 100,
        1
    ) AS percent
FROM lines l
LEFT JOIN tree t ON t.id = l.category_id
LEFT JOIN warehouse.dim_companies c ON c.id = l.company_id
GROUP BY l.month, l.company_id, c.name, c.currency, t.top, l.category_id, t.complete_name
