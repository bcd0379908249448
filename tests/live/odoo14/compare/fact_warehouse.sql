-- stock.warehouse, as fact_warehouse shows it
SELECT id, name, code, company_id, partner_id, view_location_id, lot_stock_id AS stock_location_id,
       coalesce(active, false) AS active,
       date_trunc('second', write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM stock_warehouse
