-- hr.department, as dim_departments shows it
SELECT d.id, d.name, d.complete_name, d.parent_id, d.manager_id, d.company_id,
       coalesce(d.active, false) AS active,
       date_trunc('second', d.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM hr_department d
