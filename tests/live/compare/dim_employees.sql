-- hr.employee, as dim_employees shows it; 19 keeps what changes over time in hr_version
WITH hired AS (
    SELECT employee_id, min(contract_date_start) AS hire_date FROM hr_version GROUP BY employee_id
)
SELECT e.id, e.name, v.department_id, v.job_id, v.work_location_id, e.parent_id AS manager_id, e.coach_id,
       e.user_id, e.company_id, e.barcode AS code, e.work_email, e.work_phone, v.sex AS gender, e.birthday,
       extract(year FROM age(current_date, e.birthday))::bigint AS age,
       country.code AS country,
       h.hire_date,
       round((least(coalesce(v.departure_date, current_date), current_date) - h.hire_date) / 365.25, 2)
           AS tenure_years,
       v.departure_date,
       coalesce(e.active, false) AS active,
       date_trunc('second', e.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM hr_employee e
LEFT JOIN hr_version v ON v.id = e.current_version_id
LEFT JOIN hired h ON h.employee_id = e.id
LEFT JOIN res_country country ON country.id = v.country_id
