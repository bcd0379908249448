-- odoo_read: any model's records, as Odoo returns them.
\getenv fake FAKE_URL
CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'fake', database 'demo', page_size '5');
CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin');
SELECT * FROM odoo_read('product.product', fields => '{name,list_price,categ_id,active}', max_rows => 3);

-- Archived records are records; Odoo's types are kept: false of a boolean, an id, a list.
SELECT * FROM odoo_read('product.product', '[["active","=",false]]', fields => '{active,barcode,pos_categ_ids}');
SELECT count(*), count(DISTINCT id) FROM odoo_read('product.product');

-- Domains in JSON and in Odoo's own notation.
SELECT id FROM odoo_read('product.product', '["|",["id","=",2],["name","ilike","product 11"]]');
SELECT id FROM odoo_read('product.product', $$['|', ('id', '=', 2), ('name', 'ilike', 'product 11')]$$);
SELECT id FROM odoo_read('product.product', '[["id","in",[7,8]]]');

-- Order, skip, limit.
SELECT id FROM odoo_read('product.product', order_by => 'list_price desc', max_rows => 3);
SELECT id FROM odoo_read('product.product', skip_rows => 9);
SELECT id FROM odoo_read('product.product', max_rows => 0);
SELECT odoo_read('product.product', fields => '{name}') LIMIT 2;

-- Without fields: those that are stored, no binary ones.
SELECT jsonb_object_keys(data) FROM odoo_read('uom.uom', max_rows => 1) ORDER BY 1;
SELECT data ? 'image_1920' FROM odoo_read('product.product', max_rows => 1);

-- Bad input names what is wrong.
SELECT * FROM odoo_read('no.such.model');
SELECT * FROM odoo_read('product.product', fields => '{name,price}');
SELECT * FROM odoo_read('product.product', fields => '{xyzzy}');
SELECT * FROM odoo_read('product.product', '[["prize","=",1]]');
SELECT * FROM odoo_read('product.product', order_by => 'prize');
SELECT * FROM odoo_read('product.product', '[["name","=","Tea"]');
SELECT * FROM odoo_read('product.product', $$[('name' '=', 'Tea')]$$);
SELECT * FROM odoo_read('product.product', $$[('name', '~', 'Tea')]$$);
SELECT * FROM odoo_read('product.product', $$[('name', '=', Tea)]$$);
SELECT * FROM odoo_read('product.product', $$['|', ('name', '=', 'Tea')]$$);
SELECT * FROM odoo_read('product.product', 'name = Tea');
SELECT * FROM odoo_read('product.product', '');
SELECT * FROM odoo_read('product.product', max_rows => -1);
SELECT * FROM odoo_read('product.product', skip_rows => -1);
SELECT * FROM odoo_read(NULL);
SELECT * FROM odoo_read('product.product', NULL);
DROP SERVER erp CASCADE;
