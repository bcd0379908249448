-- purchase.order.line, as fact_purchases shows it
-- Where the company has another currency by now, nobody knows the rate.
SELECT l.id, l.order_id, o.name AS order_reference, o.origin, o.partner_id AS vendor_id, o.user_id AS buyer_id,
       l.product_id, t.warehouse_id, o.state, o.invoice_status AS invoice_state,
       date_trunc('second', o.date_order) AT TIME ZONE 'UTC' AS ordered_at,
       date_trunc('second', o.date_approve) AT TIME ZONE 'UTC' AS approved_at,
       date_trunc('second', l.date_planned) AT TIME ZONE 'UTC' AS planned_at,
       date_trunc('second', o.effective_date) AT TIME ZONE 'UTC' AS effective_date,
       coalesce(l.product_qty, 0) AS quantity_ordered, coalesce(l.qty_received, 0) AS quantity_received,
       coalesce(l.qty_invoiced, 0) AS quantity_invoiced, pg_temp.translated('uom.uom,name', u.id, u.name) AS uom,
       coalesce(l.price_unit, 0) AS price_unit,
       NULL::numeric AS discount_percent, coalesce(l.price_subtotal, 0) AS subtotal,
       coalesce(l.price_total, 0) AS total,
       coalesce(l.price_total, 0) - coalesce(l.price_subtotal, 0) AS tax_amount,
       ARRAY(SELECT t.id::bigint FROM account_tax_purchase_order_line_rel r JOIN account_tax t ON t.id = r.account_tax_id
             WHERE r.purchase_order_line_id = l.id ORDER BY t.sequence, t.id) AS tax_ids,
       c.name AS currency, o.currency_rate::numeric AS currency_rate, own.name AS company_currency,
       coalesce(l.price_subtotal, 0) / CASE WHEN (c.name = own.name) = (o.currency_rate::numeric = 1) THEN o.currency_rate::numeric END AS subtotal_company, o.company_id,
       date_trunc('second', l.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM purchase_order_line l
JOIN purchase_order o ON o.id = l.order_id
LEFT JOIN stock_picking_type t ON t.id = o.picking_type_id
LEFT JOIN uom_uom u ON u.id = l.product_uom
LEFT JOIN res_currency c ON c.id = o.currency_id
JOIN res_company company ON company.id = o.company_id
JOIN res_currency own ON own.id = company.currency_id
WHERE l.display_type IS NULL
