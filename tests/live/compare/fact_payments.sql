-- pos.payment, as fact_payments shows it: those of the orders in all_sales
WITH zones AS (
    SELECT c.id AS company_id, coalesce(cal.tz, p.tz, 'UTC') AS zone
    FROM res_company c
    JOIN res_partner p ON p.id = c.partner_id
    LEFT JOIN resource_calendar cal ON cal.id = c.resource_calendar_id
)
SELECT p.id, p.pos_order_id AS order_id, 'pos' AS order_channel,
       (o.date_order AT TIME ZONE 'UTC' AT TIME ZONE z.zone)::date AS business_date,
       o.config_id AS branch_id, o.session_id, p.payment_method_id, p.amount, cur.name AS currency,
       coalesce(p.is_change, false) AS is_change, p.card_type, p.card_brand,
       date_trunc('second', p.payment_date) AT TIME ZONE 'UTC' AS payment_date, o.company_id,
       date_trunc('second', p.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM pos_payment p
JOIN pos_order o ON o.id = p.pos_order_id
JOIN zones z ON z.company_id = o.company_id
LEFT JOIN pos_config b ON b.id = o.config_id
LEFT JOIN res_currency cur ON cur.id = b.currency_id
WHERE o.state IN ('paid', 'done', 'invoiced')
