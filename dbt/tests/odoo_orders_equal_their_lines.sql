-- Orders whose lines make another amount than the order says: lines that were not read yet, or not at all
-- (odoo_quarantine), or a rounding of the till that is larger than odoo_tolerance.
{{ config(severity='warn') }}

SELECT order_key, reference, amount, lines_total, currency
FROM {{ ref('odoo__orders') }}
WHERE is_sale AND abs(amount - lines_total) > {{ var('odoo_tolerance') }}
