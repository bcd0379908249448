-- stock.quant, as fact_stock shows it
SELECT q.id, q.product_id, q.location_id, l.warehouse_id, lot.name AS lot, q.owner_id,
       coalesce(q.quantity, 0) AS quantity, coalesce(q.reserved_quantity, 0) AS reserved,
       coalesce(q.quantity, 0) - coalesce(q.reserved_quantity, 0) AS available,
       coalesce(p.standard_price ->> coalesce(t.company_id, 1)::text, '0')::numeric AS unit_cost,
       date_trunc('second', q.in_date) AT TIME ZONE 'UTC' AS in_date,
       cur.name AS currency, q.company_id,
       date_trunc('second', q.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM stock_quant q
JOIN product_product p ON p.id = q.product_id
JOIN product_template t ON t.id = p.product_tmpl_id
LEFT JOIN stock_location l ON l.id = q.location_id
LEFT JOIN stock_lot lot ON lot.id = q.lot_id
LEFT JOIN res_company c ON c.id = q.company_id
LEFT JOIN res_currency cur ON cur.id = c.currency_id
