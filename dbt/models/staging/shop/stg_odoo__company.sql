SELECT
    id AS company_id,
    name AS company,
    currency,
    country AS country_code,
    parent_id,
    root_id,
    fiscal_year_last_day::integer AS fiscal_year_last_day,
    fiscal_year_last_month::integer AS fiscal_year_last_month,
    timezone,
    active AS is_active,
    deleted_at,
    synced_at
FROM {{ source('odoo', 'dim_companies') }}
