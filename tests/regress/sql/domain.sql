-- odoo_domain: a type for Odoo's search domains, whose operators write the prefix notation.
SELECT odoo_domain('state', '=', 'paid') & odoo_domain('amount_total', '>', 100);
SELECT odoo_domain('state', '=', 'paid') | odoo_domain('state', '=', 'done');
SELECT ! odoo_domain('state', '=', 'paid');

-- JSON and Python's notation are read; JSON is written.
SELECT '[["state", "=", "paid"]]'::odoo_domain, $$[('state', '=', 'paid'), ('partner_id', '!=', None)]$$::odoo_domain;
SELECT $$['|', ('a', '=', 1), '!', '&', ('b', '=', 'it\'s "q" \u00e9'), ('c', 'in', (1, 2,))]$$::odoo_domain;
SELECT '[]'::odoo_domain, ''::odoo_domain;

-- What stands side by side is joined first, so that operators take all of it.
SELECT '[["a","=",1],["b","=",2]]' | odoo_domain('c', '=', 3);
SELECT ! '[["a","=",1],["b","=",2],["c","=",3]]'::odoo_domain;
SELECT ! (odoo_domain('a', '=', 1) | odoo_domain('b', '=', 2)) & odoo_domain('c', '=', 3);
-- & and | bind alike, from the left.
SELECT odoo_domain('a', '=', 1) | odoo_domain('b', '=', 2) & odoo_domain('c', '=', 3) AS left_first,
       odoo_domain('a', '=', 1) | (odoo_domain('b', '=', 2) & odoo_domain('c', '=', 3)) AS right_first;
-- The domain of all records, and that of none.
SELECT '[]' & odoo_domain('a', '=', 1), '[]' | odoo_domain('a', '=', 1), ! '[]'::odoo_domain;
SELECT NULL & odoo_domain('a', '=', 1) AS unknown;

-- Values of PostgreSQL's types, as Odoo takes them.
SET timezone = 'America/New_York';
SELECT odoo_domain('qty', '>=', 5), odoo_domain('price', '<', 19.99), odoo_domain('active', '=', false),
       odoo_domain('id', 'in', ARRAY[1, 2, 3]), odoo_domain('name', 'in', ARRAY['a', 'b''c']);
SELECT odoo_domain('day', '=', date '2024-02-29'), odoo_domain('at', '>=', timestamptz '2024-02-29 12:00:00.5+02'),
       odoo_domain('at', '<', timestamp '2024-02-29 12:00');
SELECT odoo_domain('email', '=', NULL), odoo_domain('email', '!=', NULL::text), odoo_domain('day', '=', NULL::date);
SELECT odoo_domain('line_ids', 'any', '[["qty", ">", 1]]'::jsonb), odoo_domain('code', '=', 'x'::varchar(5));
SELECT odoo_domain('name', '=', E'"],["id",">",0]]\n\\');
RESET timezone;

-- Casts: text, varchar and jsonb become domains by themselves.
PREPARE typed(text, varchar, jsonb, odoo_domain) AS SELECT odoo_domain_and($1, $2) & $3 & $4;
EXECUTE typed($$[('a', '=', 1)]$$, '[["b","=",2]]', '[["c","=",3]]', '[["d","=",4]]');
DEALLOCATE typed;
SELECT pg_typeof(odoo_domain('a', '=', 1)::jsonb), odoo_domain('a', '=', 1)::jsonb -> 0 ->> 2 AS value,
       odoo_domain('a', '=', 1)::text || '!' AS text;
CREATE TABLE watched (what odoo_domain DEFAULT '[]', note text);
INSERT INTO watched VALUES ($$[('state','=','paid')]$$, 'paid'), (DEFAULT, 'all');
SELECT odoo_domain('company_id', '=', 1) & what AS what, note FROM watched;
INSERT INTO watched VALUES ('[["state"]]');
DROP TABLE watched;

-- What is wrong is refused, with its place.
SELECT '[["state","~","paid"]]'::odoo_domain;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT '[["state","="]]'::odoo_domain;
SELECT '["|",["a","=",1]]'::odoo_domain;
SELECT '[["a","=",1],["b","any",[["c","=",1],"&"]]]'::odoo_domain;
SELECT $$[('state','=',paid)]$$::odoo_domain;
SELECT '{"a": 1}'::jsonb::odoo_domain;
SELECT '[["a","=",{"b":1}]]'::jsonb::odoo_domain;
SELECT odoo_domain('state', 'is', 'paid');
SELECT odoo_domain('', '=', 'paid');
SELECT odoo_domain('id', 'in', '{1,2}');
SELECT odoo_domain('id', 'in', 5);
SELECT odoo_domain('x', '=', '{"a":1}'::jsonb);
SELECT odoo_domain(NULL, '=', 1);
SELECT odoo_domain('a', NULL, 1);
SELECT odoo_domain('day', '<', date 'infinity');
SELECT odoo_domain('at', '<', timestamptz '-infinity');
SELECT odoo_domain('at', '<', timestamptz '0044-03-15 BC');

-- Functions of that name elsewhere in the search path change nothing.
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.to_jsonb(anyelement) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"stolen"'::jsonb $$;
CREATE FUNCTION hostile.odoo_domain(text, text, jsonb) RETURNS odoo_domain LANGUAGE sql AS $$ SELECT '[["stolen","=",1]]'::odoo_domain $$;
SET search_path = hostile, pg_catalog, public;
SET timezone = 'PST8PDT';
SELECT odoo_domain('a', '=', 1), public.odoo_domain('at', '=', timestamp '2024-01-01');
RESET timezone;
RESET search_path;
DROP SCHEMA hostile CASCADE;
