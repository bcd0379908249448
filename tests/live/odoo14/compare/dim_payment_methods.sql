-- pos.payment.method, as dim_payment_methods shows it; 14 knows of no type but cash
SELECT id, pg_temp.translated('pos.payment.method,name', id, name) AS name, CASE WHEN is_cash_count THEN 'cash' END AS type,
       coalesce(is_cash_count, false) AS is_cash_count, company_id,
       coalesce(active, false) AS active,
       date_trunc('second', write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM pos_payment_method
