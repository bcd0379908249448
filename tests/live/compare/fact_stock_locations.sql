-- stock.location, as fact_stock_locations shows it
SELECT l.id, l.name, l.complete_name, l.usage, l.location_id AS parent_id, l.warehouse_id, l.company_id,
       coalesce(cal.tz, cp.tz, 'UTC') AS timezone, coalesce(l.active, false) AS active,
       date_trunc('second', l.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM stock_location l
LEFT JOIN res_company c ON c.id = l.company_id
LEFT JOIN res_partner cp ON cp.id = c.partner_id
LEFT JOIN resource_calendar cal ON cal.id = c.resource_calendar_id
