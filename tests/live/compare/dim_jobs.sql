-- hr.job, as dim_jobs shows it
SELECT id, name ->> 'en_US' AS name, department_id, company_id, coalesce(active, false) AS active,
       date_trunc('second', write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM hr_job
