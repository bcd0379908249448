-- stock.quant, as fact_stock shows it
SELECT q.id, q.product_id, q.location_id, NULL::bigint AS warehouse_id, lot.name AS lot, q.owner_id,
       coalesce(q.quantity, 0)::numeric AS quantity, coalesce(q.reserved_quantity, 0)::numeric AS reserved,
       coalesce(q.quantity, 0)::numeric - coalesce(q.reserved_quantity, 0)::numeric AS available,
       coalesce(cost.value, 0) AS unit_cost,
       date_trunc('second', q.in_date) AT TIME ZONE 'UTC' AS in_date,
       cur.name AS currency, q.company_id,
       date_trunc('second', q.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM stock_quant q
JOIN product_product p ON p.id = q.product_id
JOIN product_template t ON t.id = p.product_tmpl_id
LEFT JOIN stock_production_lot lot ON lot.id = q.lot_id
LEFT JOIN res_company c ON c.id = q.company_id
LEFT JOIN res_currency cur ON cur.id = c.currency_id
LEFT JOIN LATERAL (
    SELECT value_float::numeric AS value FROM ir_property
    WHERE name = 'standard_price' AND res_id = 'product.product,' || p.id
      AND (company_id = coalesce(t.company_id, 1) OR company_id IS NULL)
    ORDER BY company_id NULLS LAST LIMIT 1
) cost ON true
