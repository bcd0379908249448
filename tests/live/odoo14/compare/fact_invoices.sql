-- account.move.line of invoices and bills, as fact_invoices shows it
SELECT l.id, l.move_id, m.name AS number, m.move_type, m.state, m.payment_state, m.invoice_date,
       m.invoice_date_due AS due_date, m.date AS accounting_date, m.ref AS reference, m.invoice_origin AS origin,
       m.partner_id, m.invoice_user_id AS user_id, m.team_id, l.product_id, l.name AS description,
       l.account_id, a.name AS account,
       coalesce(l.quantity, 0) AS quantity, pg_temp.translated('uom.uom,name', u.id, u.name) AS uom, coalesce(l.price_unit, 0) AS price_unit,
       coalesce(l.discount, 0) AS discount_percent, coalesce(l.price_subtotal, 0) AS subtotal,
       coalesce(l.price_total, 0) AS total, coalesce(l.price_total, 0) - coalesce(l.price_subtotal, 0) AS tax_amount,
       ARRAY(SELECT t.id::bigint FROM account_move_line_account_tax_rel r JOIN account_tax t ON t.id = r.account_tax_id
             WHERE r.account_move_line_id = l.id ORDER BY t.sequence, t.id) AS tax_ids,
       c.name AS currency, own.name AS company_currency, coalesce(l.balance, 0) AS balance,
       CASE WHEN m.move_type IN ('out_invoice', 'out_refund', 'out_receipt') THEN -1 ELSE 1 END * coalesce(l.balance, 0)
           AS subtotal_company,
       ARRAY(SELECT r.order_line_id::bigint FROM sale_order_line_invoice_rel r JOIN sale_order_line s ON s.id = r.order_line_id
             WHERE r.invoice_line_id = l.id ORDER BY s.order_id, s.sequence, s.id) AS sale_line_ids,
       l.purchase_line_id, l.company_id,
       date_trunc('second', l.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM account_move_line l
JOIN account_move m ON m.id = l.move_id
LEFT JOIN account_account a ON a.id = l.account_id
LEFT JOIN uom_uom u ON u.id = l.product_uom_id
LEFT JOIN res_currency c ON c.id = l.currency_id
LEFT JOIN res_company company ON company.id = l.company_id
LEFT JOIN res_currency own ON own.id = company.currency_id
WHERE NOT coalesce(l.exclude_from_invoice_tab, false) AND l.display_type IS NULL
  AND m.move_type IN ('out_invoice', 'out_refund', 'out_receipt', 'in_invoice', 'in_refund', 'in_receipt')
