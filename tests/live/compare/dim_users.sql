-- res.users, as dim_users shows it
SELECT u.id, p.name, u.login, p.email, u.partner_id, u.sale_team_id AS team_id,
       (SELECT e.id FROM hr_employee e WHERE e.user_id = u.id AND e.company_id = u.company_id) AS employee_id,
       coalesce(u.share, false) AS is_external, u.company_id, coalesce(u.active, false) AS active,
       date_trunc('second', u.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM res_users u JOIN res_partner p ON p.id = u.partner_id
