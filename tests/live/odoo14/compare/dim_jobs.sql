-- hr.job, as dim_jobs shows it; jobs cannot be archived
SELECT id, pg_temp.translated('hr.job,name', id, name) AS name, department_id, company_id, true AS active,
       date_trunc('second', write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM hr_job
