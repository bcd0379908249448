-- stock.location, as fact_stock_locations shows it
SELECT id, name, complete_name, usage, location_id AS parent_id, NULL::bigint AS warehouse_id, company_id,
       coalesce(active, false) AS active,
       date_trunc('second', write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM stock_location
