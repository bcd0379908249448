-- hr.department, as dim_departments shows it
WITH RECURSIVE tree AS (
    SELECT id, name ->> 'en_US' AS complete_name FROM hr_department WHERE parent_id IS NULL
    UNION ALL
    SELECT d.id, t.complete_name || ' / ' || (d.name ->> 'en_US')
    FROM hr_department d JOIN tree t ON t.id = d.parent_id
)
SELECT d.id, d.name ->> 'en_US' AS name, t.complete_name, d.parent_id, d.manager_id, d.company_id,
       coalesce(d.active, false) AS active,
       date_trunc('second', d.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM hr_department d JOIN tree t ON t.id = d.id
