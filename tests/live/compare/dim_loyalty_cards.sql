-- loyalty.card, as dim_loyalty_cards shows it; it has no status
SELECT c.id, c.program_id, c.partner_id AS customer_id, c.code, coalesce(c.points, 0)::numeric AS points, NULL::text AS status,
       cur.name AS currency, c.expiration_date, c.company_id,
       coalesce(c.active, false) AS active,
       date_trunc('second', c.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM loyalty_card c
LEFT JOIN loyalty_program p ON p.id = c.program_id
LEFT JOIN res_currency cur ON cur.id = p.currency_id
