-- A warehouse that is there already: extended by its users, made by an older release, or odd.
\getenv fake FAKE_URL
SET client_min_messages = warning;
CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'fake', database 'demo', schema 'shop');
CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin');
SELECT target, inserted FROM odoo_sync('products');
SET search_path = shop, public;

-- Columns, indexes, triggers and views of the users keep working.
ALTER TABLE dim_products ADD COLUMN shelf text;
CREATE INDEX dim_products_sku ON dim_products (sku);
CREATE VIEW prices AS SELECT id, list_price FROM dim_products;
CREATE TABLE audit (id bigint, price numeric);
CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO shop.audit VALUES (NEW.id, NEW.list_price); RETURN NEW; END $$;
CREATE TRIGGER remember AFTER UPDATE ON dim_products FOR EACH ROW EXECUTE FUNCTION remember();
UPDATE dim_products SET list_price = 0, shelf = 'A1' WHERE id = 1;
SELECT target, updated, unchanged FROM odoo_sync('products');
SELECT * FROM audit ORDER BY price;
SELECT p.list_price, d.shelf FROM prices p JOIN dim_products d USING (id) WHERE id = 1;

-- A column that an older release did not have is added, with its reference.
DROP VIEW prices;
ALTER TABLE dim_products DROP COLUMN category_id, DROP COLUMN margin, DROP COLUMN tracking;
SELECT target, updated FROM odoo_sync('products');
SELECT category_id, margin, tracking FROM dim_products WHERE id = 1;
SELECT conname FROM pg_constraint WHERE conrelid = 'dim_products'::regclass AND contype = 'f' ORDER BY 1;

-- A table that is gone is made again.
DROP TABLE dim_categories CASCADE;
SELECT target, fetched, inserted FROM odoo_sync('categories');

-- A text that the user narrowed is cut, and counted.
ALTER TABLE dim_products ALTER COLUMN name TYPE varchar(9) USING left(name, 9);
SELECT target, updated, unchanged FROM odoo_sync('products');
SELECT name FROM dim_products WHERE id IN (1, 10) ORDER BY id;
SELECT target, updated, unchanged FROM odoo_sync('products');

-- A column of another type is refused by name.
ALTER TABLE dim_products ALTER COLUMN barcode TYPE bigint USING barcode::bigint;
SELECT * FROM odoo_sync('products');
SELECT * FROM odoo_sync('categories');

DROP SERVER erp CASCADE;
DROP SCHEMA shop CASCADE;
