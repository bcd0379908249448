-- Rows of incremental models that the warehouse has no more, and does not tell as deleted: it was made anew, or dbt did
-- not run for longer than odoo_etl.deleted_retention. dbt build --full-refresh puts it right.
{% for model, staging, key, target in [
    ('odoo__orders', 'stg_odoo__order', 'order_key', 'all_sales'),
    ('odoo__order_lines', 'stg_odoo__order_line', 'order_line_key', 'fact_sales_lines'),
] %}
SELECT '{{ model }}' AS model, m.{{ key }} AS key
FROM {{ ref(model) }} AS m
WHERE NOT EXISTS (SELECT FROM {{ ref(staging) }} AS s WHERE s.{{ key }} = m.{{ key }})
  AND NOT EXISTS (
      SELECT FROM {{ ref('stg_odoo__deleted') }} AS d WHERE d.target = '{{ target }}' AND d.row_key = m.{{ key }}
  )
{{ 'UNION ALL' if not loop.last }}
{% endfor %}
