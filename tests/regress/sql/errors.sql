-- Everything that can go wrong between here and Odoo is one clear error.
\getenv fake FAKE_URL
CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'fake', database 'demo', protocol 'xmlrpc', timeout '1', retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin');
SET client_min_messages = warning;
DELETE FROM odoo_etl.state;

-- Reaching the server.
ALTER SERVER erp OPTIONS (SET url 'http://127.0.0.1:1');
SELECT * FROM odoo_sync('brands');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ALTER SERVER erp OPTIONS (SET url 'http://no-such-host.invalid');
SELECT * FROM odoo_sync('brands');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT replace(:'fake', 'http:', 'https:') AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('brands');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- Logging in.
ALTER SERVER erp OPTIONS (SET url :'fake');
ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET password 'wrong');
SELECT * FROM odoo_sync('brands');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (SET password 'admin');
ALTER SERVER erp OPTIONS (SET database 'nope');
SELECT * FROM odoo_sync('brands');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
ALTER SERVER erp OPTIONS (SET database 'demo');

-- Odoo's faults, by code.
SELECT :'fake' || '/fault=1@search/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/fault=2@search/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/fault=3@search/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- Answers that are none of Odoo's.
SELECT :'fake' || '/status=502@search/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/status=404/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/redirect=elsewhere.example/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/body=html/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/body=json/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/body=empty/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/body=latin@search/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/body=bomb@search/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/body=deep@search/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/body=number@search/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- Answers that do not come, or not whole.
SELECT :'fake' || '/stall@search/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/rows=500/drip@read/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/cut@read/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/reset@read/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url');
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT :'fake' || '/endless@read/' AS url \gset
ALTER SERVER erp OPTIONS (SET url :'url', SET timeout '30');
SET odoo_etl.max_response_size = '1MB';
SELECT * FROM odoo_sync('products');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- Nothing of all this left a trace.
SELECT count(*) FROM odoo_etl.state;
SELECT to_regclass('dim_products');
DROP SERVER erp CASCADE;
