{# How incremental models follow the warehouse: what may have changed is looked at again, and what has is written.

   synced_at is set when a row is written, and seen when its transaction commits, which may be after rows that were written
   later were seen here. So everything is looked at again that was written in the odoo_lookback before the newest row that
   is known, or before now if a clock was ahead. Nothing is lost as long as no transaction of a sync stays open for longer. #}
{% macro odoo_since() -%}
    {%- set sql -%}
        SELECT coalesce(extract(epoch FROM least(max(synced_at), now()) - interval '{{ var("odoo_lookback") | replace("'", "''") }}'), 0) FROM {{ this }}
    {%- endset -%}
    to_timestamp({{ run_query(sql).columns[0].values()[0] }})
{%- endmacro %}

{# Of the rows that a row is made of: each change moves the synced_at of one, and so the sum. A row is written where its version
   is not the one that is there. #}
{% macro odoo_version() -%}
    {%- for synced_at in varargs -%}
        coalesce(extract(epoch FROM {{ synced_at }}), 0){{ ' + ' if not loop.last }}
    {%- endfor -%}
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
