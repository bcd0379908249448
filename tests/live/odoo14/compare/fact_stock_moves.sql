-- stock.move, as fact_stock_moves shows it
SELECT m.id, m.product_id,
       (SELECT coalesce(sum(round(((l.qty_done / lu.factor * u.factor) / u.rounding)::numeric) * u.rounding), 0)
        FROM stock_move_line l JOIN uom_uom lu ON lu.id = l.product_uom_id WHERE l.move_id = m.id) AS quantity,
       pg_temp.translated('uom.uom,name', u.id, u.name) AS uom,
       (SELECT CASE WHEN sum(v.quantity) < 0 THEN -sum(v.value) ELSE sum(v.value) END
        FROM stock_valuation_layer v WHERE v.stock_move_id = m.id) AS value,
       cur.name AS currency, m.location_id, f.usage AS location_usage, m.location_dest_id, d.usage AS location_dest_usage,
       coalesce(m.scrapped, false) AS is_scrap,
       CASE
           WHEN m.scrapped THEN 'scrap'
           WHEN f.usage IN ('internal', 'transit') AND d.usage IN ('internal', 'transit') THEN 'internal'
           WHEN f.usage = 'inventory' OR d.usage = 'inventory' THEN 'inventory'
           WHEN d.usage IN ('internal', 'transit') THEN 'in'
           WHEN f.usage IN ('internal', 'transit') THEN 'out'
       END AS direction,
       m.picking_type_id, coalesce(m.partner_id, pick.partner_id) AS customer_id, m.origin, m.sale_line_id, m.purchase_line_id,
       date_trunc('second', m.date) AT TIME ZONE 'UTC' AS moved_at,
       (m.date AT TIME ZONE 'UTC' AT TIME ZONE coalesce(cal.tz, cp.tz, 'UTC'))::date AS business_date, m.company_id,
       date_trunc('second', m.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM stock_move m
JOIN product_product p ON p.id = m.product_id
JOIN product_template t ON t.id = p.product_tmpl_id
JOIN uom_uom u ON u.id = t.uom_id
JOIN stock_location f ON f.id = m.location_id
JOIN stock_location d ON d.id = m.location_dest_id
JOIN res_company c ON c.id = m.company_id
JOIN res_currency cur ON cur.id = c.currency_id
JOIN res_partner cp ON cp.id = c.partner_id
LEFT JOIN resource_calendar cal ON cal.id = c.resource_calendar_id
LEFT JOIN stock_picking pick ON pick.id = m.picking_id
WHERE m.state = 'done'
