-- loyalty.history, as fact_loyalty shows it
SELECT id, card_id, coalesce(issued, 0)::numeric AS issued, coalesce(used, 0)::numeric AS used,
       coalesce(issued, 0)::numeric - coalesce(used, 0)::numeric AS points_left,
       description, order_model, nullif(order_id, 0)::bigint AS order_id,
       date_trunc('second', create_date) AT TIME ZONE 'UTC' AS created_at,
       date_trunc('second', write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM loyalty_history
