-- res.company, as dim_companies shows it
SELECT c.id, c.name, cur.name AS currency, country.code AS country, c.parent_id,
       split_part(c.parent_path, '/', 1)::bigint AS root_id,
       c.fiscalyear_last_day AS fiscal_year_last_day, c.fiscalyear_last_month::bigint AS fiscal_year_last_month,
       coalesce(cal.tz, p.tz, 'UTC') AS timezone,
       coalesce(c.active, false) AS active,
       date_trunc('second', c.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM res_company c
JOIN res_partner p ON p.id = c.partner_id
LEFT JOIN resource_calendar cal ON cal.id = c.resource_calendar_id
LEFT JOIN res_currency cur ON cur.id = c.currency_id
LEFT JOIN res_country country ON country.id = p.country_id
