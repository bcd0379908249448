-- product.product and its template, as dim_products shows them
SELECT p.id,
       p.product_tmpl_id AS template_id,
       pg_temp.translated('product.template,name', t.id, t.name) AS name,
       p.default_code AS sku,
       p.barcode,
       t.categ_id AS category_id,
       t.type AS product_type,
       t.type = 'product' AS is_storable,
       t.list_price,
       -- company-dependent, in a table of its own
       coalesce(cost.value, 0) AS standard_price,
       -- of the product's company, else of the first one
       coalesce(own.name, main.name) AS currency,
       coalesce(t.company_id, 1) AS cost_company_id,
       pg_temp.translated('uom.uom,name', u.id, u.name) AS uom,
       coalesce(p.weight, 0) AS weight,
       coalesce(p.volume, 0) AS volume,
       t.sale_ok,
       t.purchase_ok,
       coalesce(t.available_in_pos, false) AS available_in_pos,
       CASE WHEN t.pos_categ_id IS NULL THEN '{}'::bigint[] ELSE ARRAY[t.pos_categ_id::bigint] END AS pos_category_ids,
       t.tracking,
       t.company_id,
       p.active,
       date_trunc('second', p.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM product_product p
JOIN product_template t ON t.id = p.product_tmpl_id
LEFT JOIN uom_uom u ON u.id = t.uom_id
LEFT JOIN res_company company ON company.id = t.company_id
LEFT JOIN res_currency own ON own.id = company.currency_id
JOIN res_company first ON first.id = 1
JOIN res_currency main ON main.id = first.currency_id
LEFT JOIN LATERAL (
    SELECT value_float::numeric AS value FROM ir_property
    WHERE name = 'standard_price' AND res_id = 'product.product,' || p.id
      AND (company_id = coalesce(t.company_id, 1) OR company_id IS NULL)
    ORDER BY company_id NULLS LAST LIMIT 1
) cost ON true
