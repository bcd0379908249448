-- odoo_sync and odoo_sync_all.
\getenv fake FAKE_URL
CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'fake', database 'demo', retries '0', schema 'shop', page_size '5');
SET search_path = shop, public;
CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin');
SELECT * FROM odoo_sync('no such entity');
SELECT * FROM odoo_sync(NULL);

-- Products pull in the categories that they refer to.
SELECT entity, target, fetched, inserted, updated, unchanged, missing, status, error FROM odoo_sync('products');
SET client_min_messages = warning;
SELECT entity, target, fetched, inserted, updated, unchanged, missing, status, error FROM odoo_sync_all()
WHERE entity IN ('categories', 'brands', 'products');
SELECT id, template_id, name, sku, barcode, category_id, brand_id, product_type, is_storable, list_price,
       standard_price, margin, margin_percent, uom, sale_ok, pos_category_ids, tracking, active, odoo_write_date
FROM dim_products WHERE id IN (1, 2, 3, 10) ORDER BY id;
-- A parent may have a higher id than its child.
SELECT id, name, parent_id, active, deleted_at FROM dim_categories ORDER BY id;

-- What is unchanged is not written.
SELECT xmin, ctid FROM dim_products WHERE id = 1 \gset before_
SELECT target, inserted, updated, unchanged FROM odoo_sync_all() WHERE entity IN ('categories', 'brands', 'products');
SELECT xmin = :before_xmin AND ctid = :'before_ctid' AS untouched FROM dim_products WHERE id = 1;

-- What was changed here by hand is put right; what the user added stays.
UPDATE dim_products SET list_price = 0 WHERE id = 1;
ALTER TABLE dim_products ADD COLUMN shelf text DEFAULT 'A1';
SELECT target, updated, unchanged FROM odoo_sync('products');
SELECT list_price, shelf FROM dim_products WHERE id = 1;

-- The tables tell where their columns come from.
SELECT obj_description('dim_products'::regclass);
SELECT attname, format_type(atttypid, atttypmod) AS type, col_description(attrelid, attnum) AS comment
FROM pg_attribute WHERE attrelid = 'dim_products'::regclass AND attnum > 0 ORDER BY attnum;
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'shop'::regnamespace AND contype <> 'n' ORDER BY conrelid::regclass::text, conname;

-- Lineage: the field behind each column, as resolved on the last run.
SELECT column_name, type, model, field, kind FROM odoo_columns WHERE server = 'erp' AND target = 'dim_products';

-- A model or a field that this Odoo lacks: an empty table, a NULL column.
SELECT :'fake' || '/without=product.category/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SET client_min_messages = notice;
SELECT target, fetched, missing, status FROM odoo_sync('categories');
SET client_min_messages = warning;
SELECT target, fetched, missing, status FROM odoo_sync_all() WHERE entity IN ('categories', 'brands', 'products');
SELECT :'fake' || '/without=product.product:barcode/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url', SET schema 'other');
SELECT target, inserted, status FROM odoo_sync('products');
SELECT count(*), count(barcode), count(sku) FROM other.dim_products;

-- A model that the Odoo user may not read is left out, with a warning; the rest is loaded.
SELECT :'fake' || '/denied=product.category/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url', SET schema 'denied');
SELECT target, fetched, missing, status, error FROM odoo_sync('products');
SELECT count(*), count(category_id) FROM denied.dim_products;
SELECT DISTINCT column_name, odoo_model, missing_id FROM denied.missing_data ORDER BY missing_id;

-- An entity that fails is undone alone and says so.
SELECT :'fake' || '/fault=1@search_count/rows=60000/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url', SET schema 'third', SET page_size '2000');
SELECT entity, target, inserted, status, error FROM odoo_sync_all() WHERE entity IN ('categories', 'brands', 'products');
SELECT count(*) FROM third.dim_categories;
SELECT count(*) FROM third.dim_products;
SELECT target, status, last_error FROM odoo_etl.state WHERE status = 'failed';

DROP SERVER erp CASCADE;
DROP SCHEMA shop CASCADE;
DROP SCHEMA other CASCADE;
DROP SCHEMA denied CASCADE;
DROP SCHEMA third CASCADE;
