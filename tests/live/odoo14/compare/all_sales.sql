-- pos.order and sale.order, as all_sales shows them
-- Where the company has another currency by now, nobody knows the rate.
WITH zones AS (
    SELECT c.id AS company_id, coalesce(cal.tz, p.tz, 'UTC') AS zone, own.name AS currency
    FROM res_company c
    JOIN res_partner p ON p.id = c.partner_id
    JOIN res_currency own ON own.id = c.currency_id
    LEFT JOIN resource_calendar cal ON cal.id = c.resource_calendar_id
)
SELECT 'pos' AS channel, o.id, coalesce(o.pos_reference, o.name) AS reference,
       date_trunc('second', o.date_order) AT TIME ZONE 'UTC' AS ordered_at,
       (o.date_order AT TIME ZONE 'UTC' AT TIME ZONE z.zone)::date AS business_date,
       extract(hour FROM o.date_order AT TIME ZONE 'UTC' AT TIME ZONE z.zone) AS hour,
       s.config_id AS branch_id, o.session_id, o.partner_id AS customer_id, o.employee_id, o.user_id,
       o.crm_team_id AS team_id, 'store' AS source, NULL AS campaign, NULL AS medium,
       o.state, o.amount_total < 0 AS is_refund, o.amount_total, o.amount_tax,
       o.amount_total - o.amount_tax AS amount_untaxed, o.amount_paid, o.amount_return,
       cur.name AS currency, o.currency_rate, z.currency AS company_currency,
       o.amount_total / CASE WHEN (cur.name = z.currency) = (o.currency_rate = 1) THEN o.currency_rate END AS amount_total_company,
       (o.amount_total - o.amount_tax) / CASE WHEN (cur.name = z.currency) = (o.currency_rate = 1) THEN o.currency_rate END AS amount_untaxed_company, o.company_id,
       date_trunc('second', o.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM pos_order o
JOIN zones z ON z.company_id = o.company_id
LEFT JOIN pos_session s ON s.id = o.session_id
LEFT JOIN pos_config b ON b.id = s.config_id
LEFT JOIN account_journal j ON j.id = b.journal_id
LEFT JOIN res_company c ON c.id = b.company_id
LEFT JOIN res_currency cur ON cur.id = coalesce(j.currency_id, c.currency_id)
WHERE o.state IN ('paid', 'done', 'invoiced')
UNION ALL
SELECT 'sale', o.id, o.name, date_trunc('second', o.date_order) AT TIME ZONE 'UTC',
       (o.date_order AT TIME ZONE 'UTC' AT TIME ZONE z.zone)::date,
       extract(hour FROM o.date_order AT TIME ZONE 'UTC' AT TIME ZONE z.zone),
       NULL, NULL, o.partner_id, NULL, o.user_id, o.team_id, 'sales', pg_temp.translated('utm.campaign,name', campaign.id, campaign.name), medium.name,
       o.state, o.amount_total < 0, o.amount_total,
       o.amount_tax, o.amount_total - o.amount_tax, NULL, NULL, cur.name, o.currency_rate, z.currency,
       o.amount_total / CASE WHEN (cur.name = z.currency) = (o.currency_rate = 1) THEN o.currency_rate END, (o.amount_total - o.amount_tax) / CASE WHEN (cur.name = z.currency) = (o.currency_rate = 1) THEN o.currency_rate END, o.company_id,
       date_trunc('second', o.write_date) AT TIME ZONE 'UTC'
FROM sale_order o
JOIN zones z ON z.company_id = o.company_id
LEFT JOIN res_currency cur ON cur.id = o.currency_id
LEFT JOIN utm_campaign campaign ON campaign.id = o.campaign_id
LEFT JOIN utm_medium medium ON medium.id = o.medium_id
