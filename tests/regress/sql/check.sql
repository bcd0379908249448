-- The doctor: everything that a sync needs, a row each.
\getenv fake FAKE_URL
\pset format unaligned
CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'fake', database 'demo', retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin');
SELECT item, status, regexp_replace(detail, '[0-9]+ ms', 'N ms') AS detail, hint FROM odoo_check()
WHERE item IN ('connection', 'version', 'login', 'dim_brands', 'dim_categories', 'dim_products');

-- A model that is not installed, a field that is not there.
SELECT :'fake' || '/without=product.category/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT item, status, detail, hint FROM odoo_check() WHERE item = 'dim_categories';
SELECT :'fake' || '/without=product.product:barcode/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT item, status, detail FROM odoo_check() WHERE item = 'dim_products';

-- A model that the user may not read.
SELECT :'fake' || '/fault=4@search_count/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT item, status, detail, hint FROM odoo_check() WHERE item = 'dim_products';

-- A check that fails is a row, not an error.
ALTER SERVER erp OPTIONS (SET url 'http://127.0.0.1:1');
SELECT * FROM odoo_check();
ALTER SERVER erp OPTIONS (SET url :'fake');
ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET password 'wrong');
SELECT item, status, detail, hint FROM odoo_check() WHERE status <> 'ok';
DROP SERVER erp CASCADE;
