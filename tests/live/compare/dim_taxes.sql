-- account.tax, as dim_taxes shows it
SELECT t.id, t.name ->> 'en_US' AS name, t.amount, t.amount_type, t.type_tax_use,
       coalesce(t.price_include_override, c.account_price_include, '') = 'tax_included' AS price_include,
       t.company_id, coalesce(t.active, false) AS active,
       date_trunc('second', t.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM account_tax t JOIN res_company c ON c.id = t.company_id
