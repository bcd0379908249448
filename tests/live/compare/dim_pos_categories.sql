-- pos.category, as dim_pos_categories shows it
WITH RECURSIVE paths AS (
    SELECT id, name ->> 'en_US' AS path FROM pos_category WHERE parent_id IS NULL
    UNION ALL
    SELECT c.id, p.path || ' / ' || (c.name ->> 'en_US') FROM pos_category c JOIN paths p ON p.id = c.parent_id
)
SELECT c.id, c.name ->> 'en_US' AS name, c.parent_id, paths.path AS complete_name, true AS active,
       date_trunc('second', c.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM pos_category c JOIN paths USING (id)
