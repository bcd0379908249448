"""make bench: how fast and how frugal odoo_etl is, as ratios of two things measured in the same run."""
