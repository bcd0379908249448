-- Order, limit, count, columns, parameters and joins: what EXPLAIN shows.
\getenv fake FAKE_URL
SET client_min_messages = warning;
SELECT :'fake' || '/version=19' AS url \gset
CREATE SERVER erp FOREIGN DATA WRAPPER odoo_fdw OPTIONS (url :'url', database 'demo', retries '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (login 'admin', password 'admin');
CREATE SCHEMA live;
IMPORT FOREIGN SCHEMA odoo LIMIT TO (pos_order, pos_order_line, loyalty_program) FROM SERVER erp INTO live;

-- Names what another part of the plan gives as PostgreSQL does from 17 on.
CREATE FUNCTION explain(query text, OUT "QUERY PLAN" text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    FOR "QUERY PLAN" IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        "QUERY PLAN" := replace(replace("QUERY PLAN", ' (returns $0)', ''), '$0', '(InitPlan 1).col1');
        RETURN NEXT;
    END LOOP;
END;
$$;

-- Only the columns that the query needs.
EXPLAIN (COSTS OFF) SELECT name FROM live.pos_order WHERE state = 'paid';
EXPLAIN (COSTS OFF) SELECT 1 FROM live.pos_order;

-- Order and limit.
EXPLAIN (COSTS OFF) SELECT id FROM live.pos_order ORDER BY id DESC LIMIT 2 OFFSET 1;
SELECT id FROM live.pos_order ORDER BY id DESC LIMIT 2 OFFSET 1;
EXPLAIN (COSTS OFF) SELECT id, date_order FROM live.pos_order WHERE state <> 'draft' ORDER BY date_order DESC LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM live.loyalty_program ORDER BY active, date_from, id LIMIT 1;
SELECT id FROM live.loyalty_program ORDER BY active, date_from, id;
-- Odoo would sort these otherwise: a time before another key, texts, references, numbers, NULL elsewhere.
EXPLAIN (COSTS OFF) SELECT id FROM live.pos_order ORDER BY date_order, id LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM live.pos_order ORDER BY name LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM live.pos_order ORDER BY partner_id LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM live.pos_order ORDER BY amount_total LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM live.loyalty_program ORDER BY date_from NULLS FIRST LIMIT 1;
-- Not limited by Odoo where PostgreSQL may drop rows.
EXPLAIN (COSTS OFF) SELECT id FROM live.pos_order WHERE amount_total > 5 ORDER BY id LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM live.pos_order WHERE length(name) > 5 LIMIT 1;
EXPLAIN (COSTS OFF) SELECT DISTINCT state FROM live.pos_order LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id, generate_series(1, 2) FROM live.pos_order LIMIT 1;
SELECT id FROM live.pos_order ORDER BY id LIMIT 0;
SELECT id FROM live.pos_order ORDER BY id OFFSET 4;
SELECT id FROM live.pos_order ORDER BY id LIMIT -1;

-- count(*).
EXPLAIN (COSTS OFF) SELECT count(*) FROM live.pos_order WHERE state = 'paid';
SELECT count(*), count(*) * 2 AS twice FROM live.pos_order WHERE state <> 'paid';
SELECT count(*) FROM live.pos_order WHERE partner_id = NULL::bigint;
EXPLAIN (COSTS OFF) SELECT count(*) FROM live.pos_order WHERE amount_total > 5;
EXPLAIN (COSTS OFF) SELECT count(name) FROM live.pos_order;
EXPLAIN (COSTS OFF) SELECT state, count(*) FROM live.pos_order GROUP BY state;
EXPLAIN (COSTS OFF) SELECT count(*) FILTER (WHERE id > 1) FROM live.pos_order;
EXPLAIN (COSTS OFF) SELECT count(*) FROM live.pos_order HAVING count(*) > 1;

-- Groups: PostgreSQL's own way to them stands by, in case that Odoo's answer leaves a doubt.
EXPLAIN (COSTS OFF) SELECT product_id, sum(price_subtotal), count(*) FROM live.pos_order_line WHERE order_id = 71 GROUP BY product_id;
EXPLAIN (COSTS OFF) SELECT product_id, avg(price_subtotal) FROM live.pos_order_line GROUP BY product_id HAVING count(*) > 1 ORDER BY 2 LIMIT 1;
SELECT product_id, sum(price_subtotal), avg(price_subtotal), min(price_subtotal), max(qty), count(*) FROM live.pos_order_line GROUP BY product_id ORDER BY 1;
SELECT sum(price_subtotal), avg(price_subtotal), count(*) FROM live.pos_order_line WHERE id < 0;
-- Binary numbers, times, expressions, some rows: PostgreSQL's alone.
EXPLAIN (COSTS OFF) SELECT sum(qty) FROM live.pos_order_line;
EXPLAIN (COSTS OFF) SELECT date_order, count(*) FROM live.pos_order GROUP BY date_order;
EXPLAIN (COSTS OFF) SELECT sum(price_subtotal) FROM live.pos_order_line WHERE price_subtotal > 0;

-- A value that is not known yet is no reason to count or to limit what Odoo will not be asked for.
SELECT * FROM explain('SELECT count(*) FROM live.pos_order WHERE partner_id > (SELECT 2)');
SELECT count(*) FROM live.pos_order WHERE partner_id > (SELECT 2);
SELECT id FROM live.pos_order WHERE partner_id > (SELECT 2) ORDER BY id DESC LIMIT 1;
SELECT count(*) FROM live.loyalty_program WHERE active > (SELECT false);
SELECT count(*) FROM live.pos_order WHERE partner_id = (SELECT 10);
SELECT s.x, count(*) FROM live.pos_order o
LEFT JOIN (SELECT id, coalesce(name, 'none') AS x FROM live.loyalty_program) s ON s.id = o.partner_id GROUP BY s.x;

-- Parameters.
SET plan_cache_mode = force_generic_plan;
PREPARE by_state(text, bigint[]) AS SELECT id FROM live.pos_order WHERE state = $1 OR id = ANY ($2) ORDER BY id;
EXPLAIN (COSTS OFF) EXECUTE by_state('draft', '{71,75}');
EXECUTE by_state('draft', '{71,75}');
EXECUTE by_state('paid', NULL);
EXECUTE by_state(NULL, '{}');
RESET plan_cache_mode;
SELECT * FROM explain('SELECT id FROM live.pos_order WHERE id = ANY (ARRAY(SELECT 71 + 2 * generate_series(0, 1)))');
SELECT id FROM live.pos_order WHERE id = ANY (ARRAY(SELECT 71 + 2 * generate_series(0, 1)));
SELECT id FROM live.pos_order WHERE date_order < now() AND id < 74;

-- Joins, by a scan of each or by a scan for each row.
EXPLAIN (COSTS OFF) SELECT o.id, l.id FROM live.pos_order o JOIN live.pos_order_line l ON l.order_id = o.id WHERE o.state = 'paid';
SELECT o.id, l.id FROM live.pos_order o JOIN live.pos_order_line l ON l.order_id = o.id WHERE o.state = 'paid' ORDER BY 1, 2;
CREATE TABLE wanted AS SELECT 71::bigint AS order_id;
ANALYZE wanted;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
EXPLAIN (COSTS OFF) SELECT l.id FROM wanted w LEFT JOIN live.pos_order_line l ON l.order_id = w.order_id;
SELECT l.id FROM wanted w JOIN live.pos_order_line l ON l.order_id = w.order_id ORDER BY 1;
INSERT INTO wanted VALUES (76), (NULL), (71);
SELECT w.order_id, l.id FROM wanted w LEFT JOIN live.pos_order_line l ON l.order_id = w.order_id ORDER BY 1, 2;
SELECT w.order_id, x.id FROM wanted w, LATERAL (SELECT id FROM live.pos_order_line WHERE order_id = w.order_id ORDER BY id LIMIT 1) x ORDER BY 1, 2;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;

-- ANALYZE.
ANALYZE live.pos_order;
SELECT reltuples FROM pg_class WHERE oid = 'live.pos_order'::regclass;
SELECT n_distinct FROM pg_stats WHERE schemaname = 'live' AND tablename = 'pos_order' AND attname = 'state';

-- Whole rows, and a cursor that goes back.
SELECT o IS NOT NULL AS whole, (o).id FROM live.pos_order o WHERE id = 71;
BEGIN;
DECLARE back SCROLL CURSOR FOR SELECT id FROM live.pos_order ORDER BY id;
FETCH 2 FROM back;
FETCH BACKWARD 1 FROM back;
COMMIT;

DROP TABLE wanted;
DROP SERVER erp CASCADE;
DROP SCHEMA live;
DROP FUNCTION explain;
