{# As unique, over several columns; a NULL counts as a value. #}
{% test odoo_unique_together(model, columns) %}
SELECT {{ columns | join(', ') }}, count(*) AS rows
FROM {{ model }}
GROUP BY {{ columns | join(', ') }}
HAVING count(*) > 1
{% endtest %}
