-- Orders that are sales: those of the points of sale once they are paid, and confirmed sale orders.
-- branch_id: the point of sale; NULL for sale orders
-- amount: with taxes; refunds are negative
-- amount_untaxed: the same before taxes
-- lines: lines that are goods or services: no rewards, and none that settle a sale order's line
-- units: their quantity, and that of rewards that are goods
-- revenue: before taxes, of all lines but those that settle a sale order's
-- settled: what of the amount pays for sale orders, with taxes; these have amounts of their own
-- settled_lines: lines that settle a sale order's
-- settled_units: their quantity
-- is_settlement: whether it has no other lines than those
SELECT
    o.channel, o.id, o.business_date, o.ordered_at, o.branch_id, o.company_id, o.customer_id, o.employee_id,
    o.user_id, o.currency, o.is_refund, o.amount_total AS amount, o.amount_untaxed,
    count(l.id) FILTER (WHERE l.settles_line_id IS NULL AND l.is_reward IS NOT TRUE) AS lines,
    coalesce(sum(l.quantity) FILTER (
        WHERE l.settles_line_id IS NULL AND (l.is_reward AND l.price_unit < 0) IS NOT TRUE), 0) AS units,
    coalesce(sum(l.subtotal) FILTER (WHERE l.settles_line_id IS NULL), 0) AS revenue,
    coalesce(sum(l.total) FILTER (WHERE l.settles_line_id IS NOT NULL), 0) AS settled,
    count(l.settles_line_id) AS settled_lines,
    coalesce(sum(l.quantity) FILTER (WHERE l.settles_line_id IS NOT NULL), 0) AS settled_units,
    count(l.settles_line_id) > 0 AND count(l.settles_line_id) = count(l.id) AS is_settlement
FROM warehouse.all_sales o
LEFT JOIN warehouse.fact_sales_lines l ON l.channel = o.channel AND l.order_id = o.id
WHERE o.state IN ('paid', 'done', 'invoiced', 'sale')
GROUP BY
    o.channel, o.id, o.business_date, o.ordered_at, o.branch_id, o.company_id, o.customer_id, o.employee_id,
    o.user_id, o.currency, o.is_refund, o.amount_total, o.amount_untaxed
