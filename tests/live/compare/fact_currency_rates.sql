-- res.currency.rate, as fact_currency_rates shows it
SELECT r.id, c.name AS currency, r.company_id, r.name AS day, r.rate, 1 / nullif(r.rate, 0) AS inverse,
       date_trunc('second', r.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM res_currency_rate r JOIN res_currency c ON c.id = r.currency_id
