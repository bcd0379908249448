-- hr.work.location, as dim_work_locations shows it
SELECT id, name, location_type, address_id, company_id, coalesce(active, false) AS active,
       date_trunc('second', write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM hr_work_location
