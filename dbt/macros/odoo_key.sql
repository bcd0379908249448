{# Orders of both channels are numbered from 1. The key of one column that stands for (channel, id) is below zero for sale
   orders, as order_key in the warehouse. #}
{% macro odoo_key(channel, id) -%}
    CASE {{ channel }} WHEN 'sale' THEN -{{ id }} ELSE {{ id }} END
{%- endmacro %}
