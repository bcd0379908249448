{{ config(
    materialized='incremental',
    unique_key='order_key',
    on_schema_change='fail',
    pre_hook="{{ odoo_delete_gone('all_sales', 'order_key') }}",
    indexes=[{'columns': ['order_key'], 'unique': true}, {'columns': ['business_date']}, {'columns': ['synced_at']}]
) }}

{% set version = odoo_version('o.synced_at') ~ ' + coalesce(l.version, 0)' -%}

WITH
{% if is_incremental() -%}
{% set since = odoo_since() -%}
changed AS (
    SELECT order_key FROM {{ ref('stg_odoo__order') }} WHERE synced_at > {{ since }}
    UNION
    SELECT order_key FROM {{ ref('odoo__order_lines') }} WHERE synced_at > {{ since }}
    UNION
    -- Those that lost lines.
    SELECT known.order_key
    FROM {{ this }} AS known
    LEFT JOIN (SELECT order_key, count(*) AS line_rows FROM {{ ref('odoo__order_lines') }} GROUP BY order_key) AS now
        ON now.order_key = known.order_key
    WHERE known.line_rows <> coalesce(now.line_rows, 0)
),

{% endif -%}
lines AS (
    SELECT
        order_key,
        count(*) FILTER (WHERE is_item AND NOT is_settlement) AS lines,
        sum(units) FILTER (WHERE NOT is_settlement) AS units,
        sum(revenue) FILTER (WHERE NOT is_settlement) AS revenue,
        sum(cost) FILTER (WHERE NOT is_settlement) AS cost,
        sum(margin) FILTER (WHERE NOT is_settlement) AS margin,
        sum(given) FILTER (WHERE NOT is_settlement) AS given,
        sum(total) FILTER (WHERE is_settlement) AS settled,
        count(*) FILTER (WHERE is_settlement) AS settled_lines,
        sum(quantity) FILTER (WHERE is_settlement) AS settled_units,
        bool_and(is_settlement) AS is_settlement,
        count(*) AS line_rows,
        sum(total) AS lines_total,
        max(synced_at) AS synced_at,
        sum(version) AS version
    FROM {{ ref('odoo__order_lines') }}
    {% if is_incremental() -%}
    WHERE order_key IN (SELECT order_key FROM changed)
    {% endif -%}
    GROUP BY order_key
)

SELECT
    o.order_key,
    o.channel,
    o.order_id,
    o.reference,
    o.ordered_at,
    o.business_date,
    o.hour,
    o.branch_id,
    o.company_id,
    o.session_id,
    o.customer_id,
    o.employee_id,
    o.user_id,
    o.team_id,
    o.source,
    o.campaign,
    o.medium,
    o.state,
    o.is_sale,
    o.is_refund,
    coalesce(l.is_settlement, false) AS is_settlement,
    o.amount,
    o.amount_tax,
    o.amount_untaxed,
    o.amount_paid,
    o.amount_return,
    coalesce(l.lines, 0) AS lines,
    coalesce(l.units, 0) AS units,
    coalesce(l.revenue, 0) AS revenue,
    l.cost,
    l.margin,
    coalesce(l.given, 0) AS given,
    coalesce(l.settled, 0) AS settled,
    coalesce(l.settled_lines, 0) AS settled_lines,
    coalesce(l.settled_units, 0) AS settled_units,
    coalesce(l.line_rows, 0) AS line_rows,
    coalesce(l.lines_total, 0) AS lines_total,
    o.currency,
    o.amount_company,
    o.amount_untaxed_company,
    o.company_currency,
    greatest(o.synced_at, l.synced_at) AS synced_at,
    {{ version }} AS version
FROM {{ ref('stg_odoo__order') }} AS o
LEFT JOIN lines AS l ON l.order_key = o.order_key
{% if is_incremental() -%}
LEFT JOIN {{ this }} AS known ON known.order_key = o.order_key
WHERE o.order_key IN (SELECT order_key FROM changed)
  AND known.version IS DISTINCT FROM {{ version }}
{%- endif %}
