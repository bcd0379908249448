-- pos.order.line and sale.order.line, as fact_sales_lines shows them
-- Where the company has another currency by now, nobody knows the rate.
WITH zones AS (
    SELECT c.id AS company_id, coalesce(cal.tz, p.tz, 'UTC') AS zone, own.name AS currency
    FROM res_company c
    JOIN res_partner p ON p.id = c.partner_id
    JOIN res_currency own ON own.id = c.currency_id
    LEFT JOIN resource_calendar cal ON cal.id = c.resource_calendar_id
)
SELECT 'pos' AS channel, l.id, l.order_id,
       (o.date_order AT TIME ZONE 'UTC' AT TIME ZONE z.zone)::date AS business_date,
       extract(hour FROM o.date_order AT TIME ZONE 'UTC' AT TIME ZONE z.zone) AS hour,
       s.config_id AS branch_id, l.product_id, NULL::bigint AS promotion_id,
       coalesce(l.qty, 0) AS quantity, pg_temp.translated('uom.uom,name', u.id, u.name) AS uom,
       coalesce(l.price_unit, 0) AS price_unit,
       coalesce(l.discount, 0) AS discount_percent,
       coalesce(l.qty, 0) * coalesce(l.price_unit, 0) * coalesce(l.discount, 0) / 100 AS discount_amount,
       -- a refund's lines may have a negative quantity but positive amounts
       sign(l.qty * l.price_unit) * abs(l.price_subtotal) AS subtotal,
       sign(l.qty * l.price_unit) * abs(l.price_subtotal_incl) AS total,
       sign(l.qty * l.price_unit) * (abs(l.price_subtotal_incl) - abs(l.price_subtotal)) AS tax_amount,
       NULL::numeric AS cost, NULL::numeric AS margin, NULL::bigint AS refunded_line_id,
       NULL::boolean AS is_reward, NULL::bigint AS settles_line_id,
       ARRAY(SELECT t.id::bigint FROM account_tax_pos_order_line_rel r JOIN account_tax t ON t.id = r.account_tax_id
             WHERE r.pos_order_line_id = l.id ORDER BY t.sequence, t.id) AS tax_ids,
       cur.name AS currency, o.currency_rate, z.currency AS company_currency,
       sign(l.qty * l.price_unit) * abs(l.price_subtotal) / CASE WHEN (cur.name = z.currency) = (o.currency_rate = 1) THEN o.currency_rate END AS subtotal_company,
       sign(l.qty * l.price_unit) * abs(l.price_subtotal_incl) / CASE WHEN (cur.name = z.currency) = (o.currency_rate = 1) THEN o.currency_rate END AS total_company,
       NULL::numeric / CASE WHEN (cur.name = z.currency) = (o.currency_rate = 1) THEN o.currency_rate END AS cost_company,
       (sign(l.qty * l.price_unit) * abs(l.price_subtotal) - NULL::numeric) / CASE WHEN (cur.name = z.currency) = (o.currency_rate = 1) THEN o.currency_rate END AS margin_company,
       date_trunc('second', l.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM pos_order_line l
JOIN pos_order o ON o.id = l.order_id
JOIN zones z ON z.company_id = o.company_id
LEFT JOIN pos_session s ON s.id = o.session_id
LEFT JOIN product_product p ON p.id = l.product_id
LEFT JOIN product_template t ON t.id = p.product_tmpl_id
LEFT JOIN uom_uom u ON u.id = t.uom_id
LEFT JOIN pos_config b ON b.id = s.config_id
LEFT JOIN account_journal j ON j.id = b.journal_id
LEFT JOIN res_company c ON c.id = b.company_id
LEFT JOIN res_currency cur ON cur.id = coalesce(j.currency_id, c.currency_id)
WHERE o.state IN ('paid', 'done', 'invoiced')
UNION ALL
SELECT 'sale', l.id, l.order_id, (o.date_order AT TIME ZONE 'UTC' AT TIME ZONE z.zone)::date,
       extract(hour FROM o.date_order AT TIME ZONE 'UTC' AT TIME ZONE z.zone),
       NULL, l.product_id, NULL, coalesce(l.product_uom_qty, 0),
       pg_temp.translated('uom.uom,name', u.id, u.name),
       coalesce(l.price_unit, 0), coalesce(l.discount, 0),
       coalesce(l.product_uom_qty, 0) * coalesce(l.price_unit, 0) * coalesce(l.discount, 0) / 100,
       coalesce(l.price_subtotal, 0), coalesce(l.price_total, 0),
       coalesce(l.price_total, 0) - coalesce(l.price_subtotal, 0), NULL, NULL, NULL,
       coalesce(l.is_reward_line, false), NULL,
       ARRAY(SELECT t.id::bigint FROM account_tax_sale_order_line_rel r JOIN account_tax t ON t.id = r.account_tax_id
             WHERE r.sale_order_line_id = l.id ORDER BY t.sequence, t.id),
       cur.name, o.currency_rate, z.currency, coalesce(l.price_subtotal, 0) / CASE WHEN (cur.name = z.currency) = (o.currency_rate = 1) THEN o.currency_rate END,
       coalesce(l.price_total, 0) / CASE WHEN (cur.name = z.currency) = (o.currency_rate = 1) THEN o.currency_rate END, NULL, NULL,
       date_trunc('second', l.write_date) AT TIME ZONE 'UTC'
FROM sale_order_line l
JOIN sale_order o ON o.id = l.order_id
JOIN zones z ON z.company_id = o.company_id
LEFT JOIN uom_uom u ON u.id = l.product_uom
LEFT JOIN res_currency cur ON cur.id = o.currency_id
WHERE l.display_type IS NULL
