SELECT
    day,
    year,
    quarter,
    month,
    month_name,
    iso_year,
    iso_week,
    weekday,
    weekday_name,
    is_weekend
FROM {{ source('odoo', 'dim_date') }}
