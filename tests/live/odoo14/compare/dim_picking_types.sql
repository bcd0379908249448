-- stock.picking.type, as dim_picking_types shows it
SELECT id, pg_temp.translated('stock.picking.type,name', id, name) AS name, code, warehouse_id, company_id,
       coalesce(active, false) AS active,
       date_trunc('second', write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM stock_picking_type
