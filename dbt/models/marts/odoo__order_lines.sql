{{ config(
    materialized='incremental',
    unique_key='order_line_key',
    on_schema_change='fail',
    pre_hook="{{ odoo_delete_gone('fact_sales_lines', 'order_line_key') }}",
    indexes=[{'columns': ['order_line_key'], 'unique': true}, {'columns': ['order_key']}, {'columns': ['synced_at']}]
) }}

{% set version = odoo_version('l.synced_at', 'o.synced_at', 'p.synced_at') -%}

{% if is_incremental() -%}
{% set since = odoo_since() -%}
WITH changed AS (
    SELECT channel, order_line_id
    FROM {{ ref('stg_odoo__order_line') }}
    WHERE synced_at > {{ since }}
    UNION
    SELECT l.channel, l.order_line_id
    FROM {{ ref('stg_odoo__order') }} AS o
    JOIN {{ ref('stg_odoo__order_line') }} AS l ON l.channel = o.channel AND l.order_id = o.order_id
    WHERE o.synced_at > {{ since }}
    UNION
    SELECT l.channel, l.order_line_id
    FROM {{ ref('stg_odoo__promotion') }} AS p
    JOIN {{ ref('stg_odoo__order_line') }} AS l ON l.promotion_id = p.promotion_id
    WHERE p.synced_at > {{ since }}
)

{% endif -%}
SELECT
    l.order_line_key,
    l.order_key,
    l.channel,
    l.order_line_id,
    l.order_id,
    o.ordered_at,
    o.business_date,
    o.branch_id,
    o.company_id,
    o.customer_id,
    l.product_id,
    l.promotion_id,
    l.refunded_line_key,
    l.settles_line_key,
    o.is_sale,
    o.is_refund,
    NOT l.is_reward AS is_item,
    l.is_reward AND p.is_way_to_pay IS NOT TRUE AS is_reward,
    l.settles_line_key IS NOT NULL AS is_settlement,
    o.is_sale AND l.settles_line_key IS NULL AS is_counted,
    l.quantity,
    l.uom,
    CASE WHEN l.is_reward AND l.price_unit < 0 THEN 0 ELSE l.quantity END AS units,
    l.price_unit,
    l.discount_percent,
    l.discount_amount,
    l.subtotal AS revenue,
    l.tax_amount,
    l.total,
    l.cost,
    l.margin,
    CASE WHEN l.is_reward AND p.is_way_to_pay IS NOT TRUE THEN l.discount_amount - l.subtotal END AS given,
    l.tax_ids,
    o.currency,
    l.subtotal_company AS revenue_company,
    l.total_company,
    l.cost_company,
    l.margin_company,
    o.company_currency,
    greatest(l.synced_at, o.synced_at, p.synced_at) AS synced_at,
    {{ version }} AS version
FROM {{ ref('stg_odoo__order_line') }} AS l
JOIN {{ ref('stg_odoo__order') }} AS o ON o.channel = l.channel AND o.order_id = l.order_id
LEFT JOIN {{ ref('stg_odoo__promotion') }} AS p ON p.promotion_id = l.promotion_id
{% if is_incremental() -%}
LEFT JOIN {{ this }} AS known ON known.order_line_key = l.order_line_key
WHERE (l.channel, l.order_line_id) IN (SELECT channel, order_line_id FROM changed)
  AND known.version IS DISTINCT FROM {{ version }}
{%- endif %}
