-- IMPORT FOREIGN SCHEMA: models as foreign tables.
\getenv fake FAKE_URL
SET client_min_messages = warning;
SELECT :'fake' || '/version=19' AS url \gset
CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'url', database 'demo', retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin');
CREATE SCHEMA live;
IMPORT FOREIGN SCHEMA odoo LIMIT TO (pos_order, loyalty_program) FROM SERVER erp INTO live;
\d live.loyalty_program
SELECT col_description('live.pos_order'::regclass, attnum) AS comment FROM pg_attribute
WHERE attrelid = 'live.pos_order'::regclass AND attname = 'partner_id';
SELECT id, name, date_from, date_to, reward_ids, active FROM live.loyalty_program;
SELECT id, state, date_order, partner_id, amount_total, lines FROM live.pos_order ORDER BY id;

-- Archived records are rows, unless the import or the table says otherwise.
CREATE SCHEMA present;
IMPORT FOREIGN SCHEMA odoo LIMIT TO (loyalty_program) FROM SERVER erp INTO present OPTIONS (archived 'false');
SELECT id, active FROM present.loyalty_program;
ALTER FOREIGN TABLE present.loyalty_program OPTIONS (SET archived 'true');
SELECT id, active FROM present.loyalty_program;

-- By hand: other names and types, and only some fields.
CREATE FOREIGN TABLE orders (
    id integer,
    order_number varchar(20) OPTIONS (field 'name'),
    total double precision OPTIONS (field 'amount_total'),
    day date OPTIONS (field 'date_order'),
    paid_by text OPTIONS (field 'partner_id')
) SERVER erp OPTIONS (model 'pos.order');
SELECT id, order_number, total::numeric AS total, day, paid_by FROM orders WHERE id > 73;

-- All models, or all but some.
CREATE SCHEMA everything;
IMPORT FOREIGN SCHEMA odoo EXCEPT (pos_order) FROM SERVER erp INTO everything;
SELECT count(*) > 20 AS many, count(*) FILTER (WHERE relname = 'pos_order') AS excepted
FROM pg_class WHERE relnamespace = 'everything'::regnamespace;

-- Bad input names what is wrong.
IMPORT FOREIGN SCHEMA erp FROM SERVER erp INTO live;
IMPORT FOREIGN SCHEMA odoo LIMIT TO (pos_ordr) FROM SERVER erp INTO live;
IMPORT FOREIGN SCHEMA odoo FROM SERVER erp INTO live OPTIONS (archivd 'true');
IMPORT FOREIGN SCHEMA odoo FROM SERVER erp INTO live OPTIONS (computed 'maybe');
CREATE FOREIGN TABLE nothing (id bigint) SERVER erp;
CREATE FOREIGN TABLE nothing (id bigint) SERVER erp OPTIONS (model 'pos.order', pushdown 'perhaps');
CREATE FOREIGN TABLE nothing (id bigint OPTIONS (fild 'id')) SERVER erp OPTIONS (model 'pos.order');
CREATE FOREIGN TABLE nothing (id bigint) SERVER erp OPTIONS (model 'no.such');
SELECT * FROM nothing;
CREATE FOREIGN TABLE lacking (id bigint, nope text) SERVER erp OPTIONS (model 'pos.order');
SELECT id FROM lacking WHERE id = 71;
SELECT * FROM lacking;
CREATE FOREIGN TABLE mistyped (id bigint, name integer) SERVER erp OPTIONS (model 'pos.order');
SELECT * FROM mistyped WHERE id = 71;
DROP SERVER erp CASCADE;
DROP SCHEMA live, present, everything;
