-- hr.employee, as dim_employees shows it; the first contract's start is computed
WITH hired AS (
    SELECT employee_id, min(date_start) AS hire_date FROM hr_contract WHERE state <> 'cancel' GROUP BY employee_id
)
SELECT e.id, e.name, e.department_id, e.job_id, NULL::bigint AS work_location_id, e.parent_id AS manager_id, e.coach_id,
       e.user_id, e.company_id, e.barcode AS code, e.work_email, e.work_phone, e.gender, e.birthday,
       extract(year FROM age(current_date, e.birthday))::bigint AS age,
       country.code AS country,
       h.hire_date,
       round((least(coalesce(e.departure_date, current_date), current_date) - h.hire_date) / 365.25, 2)
           AS tenure_years,
       e.departure_date,
       coalesce(e.active, false) AS active,
       date_trunc('second', e.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM hr_employee e
LEFT JOIN hired h ON h.employee_id = e.id
LEFT JOIN res_country country ON country.id = e.country_id
