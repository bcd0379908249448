-- crm.team, as dim_teams shows it
SELECT id, pg_temp.translated('crm.team,name', id, name) AS name, user_id AS leader_id, company_id,
       coalesce(active, false) AS active,
       date_trunc('second', write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM crm_team
