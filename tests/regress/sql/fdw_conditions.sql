-- What Odoo is asked for each condition, and that the rows are those that PostgreSQL picks itself.
\getenv fake FAKE_URL
SET client_min_messages = warning;
SELECT :'fake' || '/version=19' AS url \gset
CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'url', database 'demo', retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin');
CREATE SCHEMA live;
CREATE SCHEMA plain;
IMPORT FOREIGN SCHEMA odoo LIMIT TO (pos_order, loyalty_program, res_partner, pos_order_line) FROM SERVER erp INTO live;
IMPORT FOREIGN SCHEMA odoo LIMIT TO (pos_order, loyalty_program, res_partner, pos_order_line) FROM SERVER erp INTO plain;
ALTER FOREIGN TABLE plain.pos_order OPTIONS (pushdown 'false');
ALTER FOREIGN TABLE plain.pos_order_line OPTIONS (pushdown 'false');
ALTER FOREIGN TABLE plain.loyalty_program OPTIONS (pushdown 'false');
ALTER FOREIGN TABLE plain.res_partner OPTIONS (pushdown 'false');
-- Else PostgreSQL knows from 17 on, without asking, that none is NULL.
ALTER FOREIGN TABLE live.pos_order ALTER id DROP NOT NULL;
CREATE FUNCTION asked(table_name text, condition text, OUT domain text, OUT ids bigint[], OUT same boolean)
LANGUAGE plpgsql AS $$
DECLARE
    line text;
    others bigint[];
BEGIN
    FOR line IN EXECUTE format('EXPLAIN SELECT id FROM live.%I WHERE %s', table_name, condition) LOOP
        domain := coalesce(domain, substring(line from 'Odoo Domain: (.*)'));
    END LOOP;
    EXECUTE format('SELECT array_agg(id ORDER BY id) FROM live.%I WHERE %s', table_name, condition) INTO ids;
    EXECUTE format('SELECT array_agg(id ORDER BY id) FROM plain.%I WHERE %s', table_name, condition) INTO others;
    same := ids IS NOT DISTINCT FROM others;
END;
$$;
\pset tuples_only
\pset format unaligned

\echo '-- ids: exact'
SELECT * FROM asked('pos_order', 'id = 71');
SELECT * FROM asked('pos_order', '71 = id');
SELECT * FROM asked('pos_order', 'id <> 71');
SELECT * FROM asked('pos_order', 'id < 74');
SELECT * FROM asked('pos_order', '74 >= id');
SELECT * FROM asked('pos_order', 'id BETWEEN 73 AND 75');
SELECT * FROM asked('pos_order', 'id IN (71, 75, NULL)');
SELECT * FROM asked('pos_order', 'id NOT IN (71, 75)');
SELECT * FROM asked('pos_order', 'id NOT IN (71, NULL)');
SELECT * FROM asked('pos_order', $$id = ANY ('{71,76}')$$);
SELECT * FROM asked('pos_order', 'id IS NULL');

\echo '-- references: what is not set differs from nothing for SQL, and from everything for Odoo'
SELECT * FROM asked('pos_order', 'partner_id = 10');
SELECT * FROM asked('pos_order', 'partner_id <> 10');
SELECT * FROM asked('pos_order', 'partner_id IN (0, 10)');
SELECT * FROM asked('pos_order', 'partner_id NOT IN (0, 11)');
SELECT * FROM asked('pos_order', 'partner_id IS NULL');
SELECT * FROM asked('pos_order', 'partner_id IS NOT NULL');
SELECT * FROM asked('pos_order', 'partner_id < 11');

\echo '-- booleans: never NULL'
SELECT * FROM asked('loyalty_program', 'active');
SELECT * FROM asked('loyalty_program', 'NOT active');
SELECT * FROM asked('loyalty_program', 'active = false');
SELECT * FROM asked('loyalty_program', 'active IS NOT TRUE');
SELECT * FROM asked('loyalty_program', 'active IS FALSE');
SELECT * FROM asked('loyalty_program', 'active IS NOT NULL');

\echo '-- numbers: NULL is read as 0; Odoo rounds what it compares with'
SELECT * FROM asked('loyalty_program', 'max_usage = 0');
SELECT * FROM asked('loyalty_program', 'max_usage <> 0');
SELECT * FROM asked('loyalty_program', 'max_usage < 50');
SELECT * FROM asked('loyalty_program', 'max_usage > 50');
SELECT * FROM asked('loyalty_program', 'max_usage IN (0, 100)');
SELECT * FROM asked('loyalty_program', 'max_usage NOT IN (0, 1)');
SELECT * FROM asked('pos_order', 'amount_total = 11');
SELECT * FROM asked('pos_order', 'amount_total > 1');
SELECT * FROM asked('pos_order', 'amount_total <= 0');
SELECT * FROM asked('pos_order', 'amount_total <> 11');
SELECT * FROM asked('pos_order', $$amount_total = 'NaN'$$);

\echo '-- texts: equality and patterns; no order, which is the collation''s'
SELECT * FROM asked('pos_order', $$state = 'paid'$$);
SELECT * FROM asked('pos_order', $$state <> 'paid'$$);
SELECT * FROM asked('pos_order', $$state IN ('paid', 'draft')$$);
SELECT * FROM asked('pos_order', $$state NOT IN ('paid', 'draft')$$);
SELECT * FROM asked('pos_order', $$name = ''$$);
SELECT * FROM asked('pos_order', $$name = E'a\nb'$$);
SELECT * FROM asked('pos_order', $$name < 'P'$$);
SELECT * FROM asked('res_partner', 'email IS NULL');
SELECT * FROM asked('res_partner', 'email IS NOT NULL');
SELECT * FROM asked('pos_order', $$name LIKE 'Paris/%'$$);
SELECT * FROM asked('pos_order', $$name LIKE 'paris%'$$);
SELECT * FROM asked('pos_order', $$name LIKE E'%\\_%'$$);
SELECT * FROM asked('pos_order', $$name LIKE ''$$);
SELECT * FROM asked('pos_order', $$name NOT LIKE 'Paris/000_'$$);
SELECT * FROM asked('pos_order', $$name ILIKE 'paris%'$$);
SELECT * FROM asked('pos_order', $$name ILIKE 'pari_%'$$);
SELECT * FROM asked('pos_order', $$name ILIKE 'é%'$$);
SELECT * FROM asked('pos_order', $$name NOT ILIKE 'paris%'$$);
SELECT * FROM asked('pos_order', $$name ~ '^Paris'$$);
SELECT * FROM asked('pos_order', $$name COLLATE "C" = '/'$$);
SELECT * FROM asked('pos_order', $$upper(name) = '/'$$);

\echo '-- dates'
SELECT * FROM asked('loyalty_program', $$date_from = '2024-03-01'$$);
SELECT * FROM asked('loyalty_program', $$date_from <> '2024-03-02'$$);
SELECT * FROM asked('loyalty_program', $$date_from >= '2024-03-01' AND date_to < '2024-06-01'$$);
SELECT * FROM asked('loyalty_program', $$date_from IN ('2024-03-01', '2024-03-02')$$);
SELECT * FROM asked('loyalty_program', $$date_from > '-infinity'$$);
SELECT * FROM asked('loyalty_program', $$date_from > '10000-01-01'$$);
SELECT * FROM asked('loyalty_program', 'date_from IS NULL');

\echo '-- times: whole seconds in UTC, from a moment on and up to it'
SET timezone = 'Europe/Paris';
SELECT * FROM asked('pos_order', $$date_order = '2024-03-31 22:30:00+00'$$);
SELECT * FROM asked('pos_order', $$date_order <> '2024-03-31 22:30:00+00'$$);
SELECT * FROM asked('pos_order', $$date_order = '2024-03-31 22:30:00.5+00'$$);
SELECT * FROM asked('pos_order', $$date_order > '2024-03-31 22:29:59.5+00'$$);
SELECT * FROM asked('pos_order', $$date_order <= '2024-03-31 22:30:00.5+00'$$);
SELECT * FROM asked('pos_order', $$date_order < '2024-04-01'$$);
SELECT * FROM asked('pos_order', $$date_order >= date '2024-04-01'$$);
SELECT * FROM asked('pos_order', $$date_order >= timestamp '2024-04-01 02:00'$$);
SELECT * FROM asked('pos_order', $$date_order < 'infinity'$$);
SELECT * FROM asked('pos_order', $$date_order < date '5874897-12-31'$$);
SELECT * FROM asked('pos_order', $$date_order > timestamp '4714-11-24 00:00 BC'$$);
RESET timezone;

\echo '-- AND, OR, NOT'
SELECT * FROM asked('pos_order', $$state = 'paid' OR partner_id IS NULL AND NOT id > 74$$);
SELECT * FROM asked('pos_order', $$NOT (state = 'paid' OR partner_id IS NULL)$$);
SELECT * FROM asked('pos_order', $$NOT (state = 'paid' AND partner_id = 10)$$);
\echo '-- of an AND what can be asked, of an OR all or nothing'
SELECT * FROM asked('pos_order', $$state = 'paid' AND length(name) > 3$$);
SELECT * FROM asked('pos_order', $$state = 'paid' OR length(name) > 3$$);
SELECT * FROM asked('pos_order', $$false$$);

\echo '-- lists of ids and fields that are not stored are PostgreSQL''s'
SELECT * FROM asked('pos_order', '81 = ANY (lines)');
SELECT * FROM asked('pos_order', 'id = company_id');
\pset tuples_only off
\pset format aligned
DROP SERVER erp CASCADE;
DROP SCHEMA live, plain;
DROP FUNCTION asked;
