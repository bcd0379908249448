-- 20,000 paid orders of six lines each, over the year before the demo data's own, as a till sends them.
CREATE TEMP TABLE goods AS
SELECT row_number() OVER (ORDER BY p.id) - 1 AS place, p.id FROM product_product p
JOIN product_template t ON t.id = p.product_tmpl_id WHERE p.active AND t.active AND t.available_in_pos;
CREATE TEMP TABLE people AS
SELECT row_number() OVER (ORDER BY id) - 1 AS place, id FROM res_partner WHERE active;
CREATE TEMP TABLE sold AS
SELECT line, (line - 1) / 6 AS place, 1 + line % 3 AS qty, (100 + line * 7919 % 9000) / 100.0 AS price,
       CASE WHEN line % 5 = 0 THEN 10.0 ELSE 0.0 END AS discount
FROM generate_series(1, 120000) AS line;
ALTER TABLE sold ADD subtotal numeric, ADD total numeric;
UPDATE sold SET subtotal = round(qty * price * (1 - discount / 100), 2);
UPDATE sold SET total = round(subtotal * 1.15, 2);

INSERT INTO pos_order (id, name, pos_reference, tracking_number, uuid, access_token, state, session_id, config_id, company_id, user_id,
    partner_id, create_uid, write_uid, sequence_number, nb_print, source, is_refund, currency_rate, sale_journal,
    date_order, create_date, write_date, amount_total, amount_paid, amount_tax, amount_return)
SELECT 10001 + sums.place, 'Shop/' || sums.place, 'Order ' || sums.place, sums.place % 1000, gen_random_uuid(), gen_random_uuid(),
    'paid', first.session_id, first.config_id, first.company_id, 2, people.id, 2, 2, sums.place, 0, 'pos', false,
    first.currency_rate, first.sale_journal, moment.time, moment.time, moment.time + interval '0.25 second',
    total, total, total - subtotal, 0
FROM (SELECT place, sum(subtotal) AS subtotal, sum(total) AS total FROM sold GROUP BY place) AS sums
JOIN people ON people.place = sums.place % (SELECT count(*) FROM people)
CROSS JOIN (SELECT * FROM pos_order ORDER BY id LIMIT 1) AS first
CROSS JOIN LATERAL (SELECT date_trunc('second', first.date_order) - interval '365 days' + sums.place * interval '25 minutes') AS moment (time);

INSERT INTO pos_order_line (id, order_id, company_id, product_id, name, full_product_name, price_type, uuid, create_uid, write_uid,
    qty, price_unit, discount, price_subtotal, price_subtotal_incl, total_cost, is_total_cost_computed, is_edited,
    is_reward_line, refunded_orderline_id, qty_delivered, create_date, write_date)
SELECT 100000 + line, orders.id, orders.company_id, goods.id, lpad(line::text, 6, '0'), 'Goods', 'original', gen_random_uuid(), 2, 2,
    qty, price, discount, subtotal, total, round(qty * price * 0.4, 2), true, false,
    false, CASE WHEN line % 50 = 0 THEN 100000 + line - 7 END, 0, orders.create_date, orders.write_date
FROM sold
JOIN pos_order orders ON orders.id = 10001 + sold.place
JOIN goods ON goods.place = line * 31 % (SELECT count(*) FROM goods);

SELECT setval('pos_order_id_seq', (SELECT max(id) FROM pos_order)), setval('pos_order_line_id_seq', (SELECT max(id) FROM pos_order_line));
