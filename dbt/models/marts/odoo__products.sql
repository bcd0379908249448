WITH RECURSIVE tree AS (
    SELECT category_id, category AS category_top, category_path
    FROM {{ ref('stg_odoo__category') }}
    WHERE parent_id IS NULL
    UNION ALL
    SELECT c.category_id, t.category_top, c.category_path
    FROM {{ ref('stg_odoo__category') }} AS c
    JOIN tree AS t ON t.category_id = c.parent_id
),

sold AS (
    SELECT
        product_id,
        min(business_date) AS first_sold_on,
        max(business_date) AS last_sold_on,
        count(DISTINCT order_key) AS orders
    FROM {{ ref('odoo__order_lines') }}
    WHERE is_counted AND units > 0
    GROUP BY product_id
)

SELECT
    p.product_id,
    p.template_id,
    p.product,
    p.sku,
    p.barcode,
    p.category_id,
    t.category_path AS category,
    t.category_top,
    p.brand_id,
    b.brand,
    p.product_type,
    p.is_storable,
    p.uom,
    p.list_price,
    p.currency,
    p.standard_price,
    p.cost_company_id,
    p.weight,
    p.volume,
    p.is_for_sale,
    p.is_for_purchase,
    p.is_in_pos,
    p.pos_category_ids,
    p.tracking,
    p.company_id,
    s.first_sold_on,
    s.last_sold_on,
    coalesce(s.orders, 0) AS orders,
    p.is_active,
    p.deleted_at,
    p.synced_at
FROM {{ ref('stg_odoo__product') }} AS p
LEFT JOIN tree AS t ON t.category_id = p.category_id
LEFT JOIN {{ ref('stg_odoo__brand') }} AS b ON b.brand_id = p.brand_id
LEFT JOIN sold AS s ON s.product_id = p.product_id
