-- pos.category, as dim_pos_categories shows it
WITH RECURSIVE names AS (
    SELECT id, parent_id, pg_temp.translated('pos.category,name', id, name) AS name, write_date FROM pos_category
), paths AS (
    SELECT id, name AS path FROM names WHERE parent_id IS NULL
    UNION ALL
    SELECT n.id, p.path || ' / ' || n.name FROM names n JOIN paths p ON p.id = n.parent_id
)
SELECT n.id, n.name, n.parent_id, paths.path AS complete_name, true AS active,
       date_trunc('second', n.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM names n JOIN paths USING (id)
