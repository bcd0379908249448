-- References to records that Odoo does not give.
\getenv fake FAKE_URL
SELECT :'fake' || '/hide=product.category:4/' AS url \gset
CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'url', database 'demo', schema 'shop', page_size '5');
SET search_path = shop, public;
SET client_min_messages = warning;
CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin');

-- The row stays, its reference is NULL, and missing_data remembers it.
SELECT target, fetched, inserted, missing FROM odoo_sync('products');
SELECT id, name, parent_id FROM dim_categories ORDER BY id;
SELECT target, row_id, column_name, odoo_model, missing_id, attempts, resolved_at FROM missing_data;
SELECT target, updated, missing FROM odoo_sync_all() WHERE entity IN ('categories', 'products');
SELECT missing_id, attempts, resolved_at FROM missing_data;

-- When the record arrives, the reference is restored.
ALTER SERVER erp OPTIONS (SET url :'fake');
SELECT target, inserted, updated, missing FROM odoo_sync_all() WHERE entity IN ('categories', 'products');
SELECT id, name, parent_id FROM dim_categories ORDER BY id;
SELECT missing_id, attempts, resolved_at IS NOT NULL AS resolved FROM missing_data;

-- So it is when the record arrives without the row that refers to it.
UPDATE dim_categories SET parent_id = NULL WHERE id = 3;
UPDATE missing_data SET resolved_at = NULL;
SELECT target, inserted, updated FROM odoo_sync('brands');
SELECT id, parent_id FROM dim_categories WHERE id = 3;
SELECT resolved_at IS NOT NULL AS resolved FROM missing_data;

DROP SERVER erp CASCADE;
DROP SCHEMA shop CASCADE;
