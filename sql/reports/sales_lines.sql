-- Lines of sales, each thing sold once: without those of a point of sale that settle a sale order's line.
-- units: quantity, but 0 for rewards that only take money off
-- is_reward: whether a promotion gave it; gift cards and eWallets are ways to pay
-- revenue: before taxes; refunds and rewards are negative
-- total: with taxes
-- given: what a reward took off, before taxes
SELECT
    l.channel, l.id, l.order_id, o.business_date, o.branch_id, o.company_id, o.customer_id, o.currency, o.is_refund,
    l.product_id, l.promotion_id, l.quantity, l.uom,
    CASE WHEN l.is_reward AND l.price_unit < 0 THEN 0 ELSE l.quantity END AS units,
    l.is_reward IS TRUE AND coalesce(p.program_type, '') NOT IN ('gift_card', 'ewallet') AS is_reward,
    l.subtotal AS revenue, l.total,
    CASE
        WHEN l.is_reward AND coalesce(p.program_type, '') NOT IN ('gift_card', 'ewallet')
        THEN l.discount_amount - l.subtotal
    END AS given
FROM warehouse.fact_sales_lines l
JOIN warehouse.all_sales o ON o.channel = l.channel AND o.id = l.order_id
LEFT JOIN warehouse.dim_promotions p ON p.id = l.promotion_id
WHERE o.state IN ('paid', 'done', 'invoiced', 'sale') AND l.settles_line_id IS NULL
