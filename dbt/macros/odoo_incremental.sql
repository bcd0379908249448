{# How incremental models follow the warehouse. A row is written where its version is not the one that is there: no
   watermark is remembered, so nothing is lost when a sync commits late, and nothing is written twice. #}

{# Of the rows that a row is made of: synced_at moves with each change, so the sum moves with any of them. #}
{% macro odoo_version() -%}
    {%- for synced_at in varargs -%}
        coalesce(extract(epoch FROM {{ synced_at }}), 0){{ ' + ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Joins what is there already. Ends the FROM of a model. #}
{% macro odoo_changed(key, version) -%}
    {% if is_incremental() -%}
LEFT JOIN {{ this }} AS known ON known.{{ key.split('.') | last }} = {{ key }}
WHERE known.version IS DISTINCT FROM {{ version }}
    {%- endif %}
{%- endmacro %}

{# Deletes what was deleted in the warehouse. odoo_deleted keeps that for 90 days, and each time all of it is asked. #}
{% macro odoo_delete_gone(target, key) -%}
    {%- set deleted = ref('stg_odoo__deleted') -%}
    {% if is_incremental() -%}
DELETE FROM {{ this }} AS known
USING {{ deleted }} AS gone
WHERE gone.target = '{{ target }}' AND gone.row_key = known.{{ key }}
    {%- endif %}
{%- endmacro %}
