{# Orders of both channels are numbered from 1: the key of one column that stands for (channel, id). #}
{% macro odoo_key(channel, id) -%}
    ({{ id }} * 2 + ({{ channel }} = 'sale')::integer)
{%- endmacro %}
