-- Rows of incremental models that the warehouse has no more, and does not tell as deleted: it was made anew, or dbt did
-- not run for longer than odoo_etl.deleted_retention; and rows of the warehouse that were written before what models look
-- at again, and are not here: a sync's transaction stayed open for longer than odoo_lookback. dbt build --full-refresh puts
-- it right.
{% for model, staging, key, target in [
    ('odoo__orders', 'stg_odoo__order', 'order_key', 'all_sales'),
    ('odoo__order_lines', 'stg_odoo__order_line', 'order_line_key', 'fact_sales_lines'),
] %}
SELECT 'gone from the warehouse' AS fault, '{{ model }}' AS model, m.{{ key }} AS key
FROM {{ ref(model) }} AS m
WHERE NOT EXISTS (SELECT FROM {{ ref(staging) }} AS s WHERE s.{{ key }} = m.{{ key }})
  AND NOT EXISTS (
      SELECT FROM {{ ref('stg_odoo__deleted') }} AS d WHERE d.target = '{{ target }}' AND d.row_key = m.{{ key }}
  )
UNION ALL
SELECT 'missing here', '{{ model }}', s.{{ key }}
FROM {{ ref(staging) }} AS s
WHERE NOT EXISTS (SELECT FROM {{ ref(model) }} AS m WHERE m.{{ key }} = s.{{ key }})
  AND s.synced_at < (SELECT least(max(m.synced_at), now()) FROM {{ ref(model) }} AS m) - interval '{{ var("odoo_lookback") | replace("'", "''") }}'
{{ 'UNION ALL' if not loop.last }}
{% endfor %}
