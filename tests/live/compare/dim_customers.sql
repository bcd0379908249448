-- res.partner, as dim_customers shows it
SELECT p.id, p.name, coalesce(p.is_company, false) AS is_company, p.parent_id,
       coalesce(p.customer_rank, 0) > 0 AS is_customer, coalesce(p.supplier_rank, 0) > 0 AS is_vendor,
       p.email, p.phone, p.street, p.street2, p.city, p.zip, s.name AS state, c.code AS country_code, p.vat, p.ref,
       p.lang,
       ARRAY(SELECT t.name ->> 'en_US' FROM res_partner_res_partner_category_rel r
             JOIN res_partner_category t ON t.id = r.category_id
             WHERE r.partner_id = p.id ORDER BY t.name ->> 'en_US', t.id) AS tags,
       p.user_id AS salesperson_id,
       date_trunc('second', p.create_date) AT TIME ZONE 'UTC' AS created_at,
       coalesce(p.active, false) AS active,
       date_trunc('second', p.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM res_partner p
LEFT JOIN res_country c ON c.id = p.country_id
LEFT JOIN res_country_state s ON s.id = p.state_id
