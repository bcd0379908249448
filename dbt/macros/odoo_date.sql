{# The day of a time where it happened: in a time zone of its own, or that of the variable. #}
{% macro odoo_date(time, timezone=none) -%}
    {%- set usual = "'" ~ var('odoo_timezone') | replace("'", "''") ~ "'" -%}
    ({{ time }} AT TIME ZONE {{ 'coalesce(' ~ timezone ~ ', ' ~ usual ~ ')' if timezone else usual }})::date
{%- endmacro %}
