-- product.category, as dim_categories shows it
SELECT id,
       name,
       complete_name,
       parent_id,
       true AS active,
       date_trunc('second', write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM product_category
