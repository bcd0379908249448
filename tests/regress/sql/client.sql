-- The client as functions: search, count, read, describe, and write where the server may be written.
\getenv fake FAKE_URL
SELECT :'fake' || '/version=19/only=client/' AS url \gset
CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'url', database 'demo', page_size '5');
CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin');

-- Searching and counting, by domains of every kind.
SELECT odoo_search('res.partner', max_rows => 3);
SELECT odoo_search('res.partner', odoo_domain('id', 'in', ARRAY[10, 11]), order_by => 'id desc');
SELECT odoo_count('res.partner'), odoo_count('res.partner', $$[('id', '>', 11)]$$),
       odoo_count('res.partner', ! odoo_domain('id', '>', 11)), odoo_count('res.partner', odoo_domain('id', '=', 10) | odoo_domain('id', '=', 11));
SELECT id FROM odoo_read('res.partner', odoo_domain('id', '>', 10) & odoo_domain('id', '<', 12), fields => '{name}');
SELECT odoo_search('res.partner', '[]', NULL, 2, 1);
SELECT odoo_search('res.partner', max_rows => 0);

-- A context: here archived records are left out, as Odoo does unless it is asked otherwise.
SELECT odoo_count('product.product') > odoo_count('product.product', context => '{"active_test": true}') AS fewer;
SELECT count(*) = odoo_count('product.product', context => '{"active_test": true}') AS as_many
FROM odoo_read('product.product', fields => '{name}', context => '{"active_test": true}');
SELECT odoo_count('res.partner', context => '[]');

-- What there is.
SELECT * FROM odoo_fields('product.category');
SELECT * FROM odoo_models() LIMIT 4;
SELECT * FROM odoo_fields('no.such');

-- Nothing is written unless the server's owner allows it.
SELECT odoo_create('res.partner', '{"name": "New"}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT odoo_write('res.partner', '{10}', '{"name": "New"}');
SELECT odoo_unlink('res.partner', '{10}');
SELECT odoo_call('res.partner', 'name_search');
ALTER SERVER erp OPTIONS (ADD writable 'true');

-- One record, or several in one transaction of Odoo's; null empties a field.
SELECT odoo_create('res.partner', '{"name": "One", "email": "one@example.com", "is_company": true}') AS one \gset
SELECT odoo_create('res.partner', '[{"name": "Two"}, {"name": "Three"}]') - :one AS further;
SELECT data - 'id' AS data FROM odoo_read('res.partner', odoo_domain('id', '=', :one), fields => '{name,email,is_company}');
SELECT odoo_write('res.partner', ARRAY[:one], '{"email": null, "is_company": false, "name": "Uno"}');
SELECT data - 'id' AS data FROM odoo_read('res.partner', odoo_domain('id', '=', :one), fields => '{name,email,is_company}');
SELECT odoo_unlink('res.partner', ARRAY[:one, :one + 1]);
SELECT odoo_count('res.partner', odoo_domain('id', '>=', :one));
SELECT odoo_create('res.partner', '[]');

-- Any public method, with arguments by position and by name.
SELECT odoo_call('res.partner', 'name_search', '["Three"]', '{"limit": 5}') -> 0 ->> 1 AS name;
SELECT odoo_call('res.partner', 'context_told', kwargs => '{"context": {"lang": "fr_FR", "mine": [1, null]}}') - 'allowed_company_ids' AS context;
SELECT odoo_search('product.product', max_rows => 1) AS product \gset
SELECT odoo_call('product.product', 'action_archive', kwargs => jsonb_build_object('ids', ARRAY[:product])) IS NULL AS nothing;
SELECT data ->> 'active' AS active FROM odoo_read('product.product', odoo_domain('id', '=', :product), fields => '{active}');

-- Bad input names what is wrong.
SELECT odoo_create('res.partner', '"x"');
SELECT odoo_create('res.partner', '[{"name": "x"}, 1]');
SELECT odoo_create('res.partner', NULL);
SELECT odoo_create('res.partner', '{"nmae": "x"}');
SELECT odoo_write('res.partner', ARRAY[10, NULL], '{"name": "x"}');
SELECT odoo_write('res.partner', '{10}', '[]');
SELECT odoo_write('res.partner', '{999999}', '{"name": "x"}');
SELECT odoo_unlink('res.partner', NULL);
SELECT odoo_call('res.partner', '_write');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT odoo_call('res.partner', 'unlink/../copy');
SELECT odoo_call('res.partner', NULL);
SELECT odoo_call('res.partner', 'no_such');
SELECT odoo_call('res.partner', 'name_search', '{}');
SELECT odoo_call('res.partner', 'name_search', kwargs => '[]');
SELECT odoo_call('res.partner', 'name_search', kwargs => '{"context": 1}');
SELECT odoo_call('res.partner', 'action_archive', kwargs => '{"ids": "all"}');
SELECT odoo_count('res.partner/unlink?');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- JSON-2 has no arguments without names.
ALTER USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (DROP password, ADD api_key 'admin');
ALTER SERVER erp OPTIONS (ADD protocol 'json2');
SELECT odoo_call('res.partner', 'name_search', '["Three"]');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT odoo_call('res.partner', 'name_search', kwargs => '{"name": "Three"}') -> 0 ->> 1 AS name;
SELECT odoo_call('product.product', 'write', kwargs => jsonb_build_object('ids', ARRAY[:product], 'vals', '{"active": true}'::jsonb));
SELECT data ->> 'active' AS active FROM odoo_read('product.product', odoo_domain('id', '=', :product), fields => '{active}');

-- Nor is anything written from a transaction that may not write.
BEGIN READ ONLY;
SELECT odoo_create('res.partner', '{"name": "New"}');
ROLLBACK;
BEGIN READ ONLY;
SELECT odoo_count('product.product') > 0 AS read;
COMMIT;
DROP SERVER erp CASCADE;
