-- Values that Odoo does send, and that are easy to get wrong.
\getenv fake FAKE_URL
SET client_min_messages = warning;
SELECT :'fake' || '/strange/' AS url \gset
CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'url', database 'demo', protocol 'xmlrpc', schema 'shop');
CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin');

-- Control characters, which only Odoo 14 lets through, are left out and counted.
SELECT target, inserted, status FROM odoo_sync('products');
SET search_path = shop, public;
SELECT id, to_json(name) AS name FROM dim_products WHERE id <= 2 ORDER BY id;
-- NaN, infinity, small and long numbers, an integer beyond 32 bits, an empty text.
SELECT id, list_price, margin, margin_percent FROM dim_products WHERE id <= 4 ORDER BY id;
SELECT template_id FROM dim_products WHERE id = 5;
SELECT sku = '' AS empty_is_not_null FROM dim_products WHERE id = 6;
-- A second run finds them all unchanged.
SELECT target, updated, unchanged FROM odoo_sync('products');

DROP SERVER erp CASCADE;
DROP SCHEMA shop CASCADE;
