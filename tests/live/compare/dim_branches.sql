-- pos.config, as dim_branches shows it
SELECT b.id, b.name, b.company_id, c.name AS company_name,
       coalesce(t.warehouse_id, b.warehouse_id) AS warehouse_id,
       b.crm_team_id AS team_id, cur.name AS currency,
       coalesce(cal.tz, cp.tz, 'UTC') AS timezone,
       pl.name ->> 'en_US' AS pricelist,
       coalesce(b.active, false) AS active,
       date_trunc('second', b.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM pos_config b
JOIN res_company c ON c.id = b.company_id
JOIN res_partner cp ON cp.id = c.partner_id
LEFT JOIN resource_calendar cal ON cal.id = c.resource_calendar_id
LEFT JOIN stock_picking_type t ON t.id = b.picking_type_id
LEFT JOIN res_currency cur ON cur.id = b.currency_id
LEFT JOIN product_pricelist pl ON pl.id = b.pricelist_id
