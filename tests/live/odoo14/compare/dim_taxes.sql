-- account.tax, as dim_taxes shows it
SELECT t.id, pg_temp.translated('account.tax,name', t.id, t.name) AS name, t.amount, t.amount_type, t.type_tax_use,
       coalesce(t.price_include, false) AS price_include, t.company_id, coalesce(t.active, false) AS active,
       date_trunc('second', t.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM account_tax t
