-- coupon.coupon, as dim_loyalty_cards shows it; a coupon has no points, and its company is the program's
SELECT c.id, c.program_id, c.partner_id AS customer_id, c.code, NULL::numeric AS points, c.state AS status,
       NULL::text AS currency,
       CASE WHEN p.validity_duration > 0 THEN (c.create_date + p.validity_duration * interval '1 day')::date END AS expiration_date,
       p.company_id, true AS active,
       date_trunc('second', c.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM coupon_coupon c
LEFT JOIN coupon_program p ON p.id = c.program_id
