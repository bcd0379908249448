-- Options are checked when they are set.
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'erp.example.com', database 'd');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'ftp://erp.example.com', database 'd');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://admin:secret@erp.example.com', database 'd');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database '');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database 'd', host 'x');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database 'd', page_size '0');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database 'd', readers 'many');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database 'd', timeout '-1');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database 'd', protocol 'soap');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database 'd', overlap '-1');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database 'd', schema '');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database 'd', language 'no such');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database 'd', ca_file 'ca.pem');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url 'https://erp.example.com', database 'd', writable 'maybe');
CREATE SERVER s FOREIGN DATA WRAPPER odoo_fdw OPTIONS (
    url 'https://erp.example.com/odoo/', database 'd', protocol 'xmlrpc', schema 'shop', language 'fr_FR',
    page_size '500', readers '4', timeout '60', ca_file '/etc/ssl/certs/shop.pem');
ALTER SERVER s OPTIONS (SET page_size 'big');
ALTER SERVER s OPTIONS (DROP url);
ALTER SERVER s OPTIONS (SET page_size '1000', DROP ca_file);

CREATE USER MAPPING FOR CURRENT_USER SERVER s;
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (login 'bot');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (login 'bot', password 'a', api_key 'b');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (login 'bot', password 'a', url 'x');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (login 'bot', api_key 'b');
ALTER FOREIGN DATA WRAPPER odoo_fdw OPTIONS (ADD url 'x');
DROP SERVER s CASCADE;

-- Which server is meant.
\getenv fake FAKE_URL
SELECT * FROM odoo_sync('products');
CREATE SERVER one FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'fake', database 'demo', schema 'one');
SELECT * FROM odoo_sync('products');
CREATE USER MAPPING FOR CURRENT_USER SERVER one OPTIONS (login 'admin', password 'admin');
SELECT target, fetched FROM odoo_sync('products');
CREATE SERVER two FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'fake', database 'demo', schema 'two');
SELECT target, fetched FROM odoo_sync('products');
SELECT target, fetched FROM odoo_sync('products', server => 'three');
SELECT target, fetched FROM odoo_sync('products', server => 'one');

-- Each server has its schema, and each schema its tables.
SELECT count(*) FROM one.dim_products;
SELECT server, target, status, rows_fetched FROM odoo_etl.state ORDER BY 1, 2;

-- USAGE on the server, and a mapping of one's own.
CREATE ROLE analyst;
GRANT CREATE ON DATABASE regression TO analyst;
SET ROLE analyst;
SELECT * FROM odoo_sync('products', server => 'one');
SELECT * FROM odoo_check('one');
SELECT * FROM odoo_read('product.product', server => 'one');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER two TO analyst;
SET ROLE analyst;
SELECT * FROM odoo_sync('products');
CREATE USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (login 'admin', password 'admin');
SELECT target, fetched, status FROM odoo_sync('products');
SELECT tableowner FROM pg_tables WHERE schemaname = 'two' AND tablename = 'dim_products';
SELECT umoptions FROM pg_user_mappings WHERE srvname = 'one';
RESET ROLE;
-- PUBLIC's mapping serves those who have none of their own.
DROP USER MAPPING FOR CURRENT_USER SERVER one;
CREATE USER MAPPING FOR PUBLIC SERVER one OPTIONS (login 'admin', api_key 'admin');
SELECT target, fetched FROM odoo_sync('products', server => 'one');

SET client_min_messages = warning;
DROP SERVER one CASCADE;
DROP SERVER two CASCADE;
DROP SCHEMA one CASCADE;
DROP SCHEMA two CASCADE;
REVOKE CREATE ON DATABASE regression FROM analyst;
DROP ROLE analyst;
