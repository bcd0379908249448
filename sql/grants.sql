-- Not of upgrades: who has taken a privilege back since keeps it so.
GRANT SELECT ON odoo_columns, odoo_status, odoo_sync_status, odoo_sync_progress, odoo_schedules, odoo_sync_log, odoo_quarantine TO PUBLIC;
