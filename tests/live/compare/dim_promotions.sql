-- loyalty.program, as dim_promotions shows it
SELECT p.id, p.name ->> 'en_US' AS name, p.program_type, p.trigger, p.applies_on, p.date_from, p.date_to,
       coalesce(p.max_usage, 0) AS max_usage, c.name AS currency, p.company_id,
       (SELECT string_agg(r.description ->> 'en_US', '; ' ORDER BY r.required_points, r.id)
        FROM loyalty_reward r WHERE r.program_id = p.id) AS rewards,
       coalesce(p.active, false) AS active,
       date_trunc('second', p.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM loyalty_program p LEFT JOIN res_currency c ON c.id = p.currency_id
