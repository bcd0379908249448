-- product.product and its template, as dim_products shows them
SELECT p.id,
       p.product_tmpl_id AS template_id,
       t.name ->> 'en_US' AS name,
       p.default_code AS sku,
       p.barcode,
       t.categ_id AS category_id,
       t.type AS product_type,
       -- over the API a boolean that was never set is false
       coalesce(t.is_storable, false) AS is_storable,
       t.list_price,
       -- company-dependent, by the id of the company
       coalesce(p.standard_price ->> coalesce(t.company_id, 1)::text, '0')::numeric AS standard_price,
       -- of the product's company, else of the first one
       coalesce(own.name, main.name) AS currency,
       coalesce(t.company_id, 1) AS cost_company_id,
       u.name ->> 'en_US' AS uom,
       coalesce(p.weight, 0) AS weight,
       coalesce(p.volume, 0) AS volume,
       t.sale_ok,
       t.purchase_ok,
       coalesce(t.available_in_pos, false) AS available_in_pos,
       ARRAY(SELECT r.pos_category_id::bigint FROM pos_category_product_template_rel r
             JOIN pos_category c ON c.id = r.pos_category_id
             WHERE r.product_template_id = t.id ORDER BY c.sequence, c.name) AS pos_category_ids,
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
