SELECT
    s.product_id,
    p.product,
    p.sku,
    p.uom,
    p.is_storable,
    s.location_id,
    l.location_path AS location,
    s.warehouse_id,
    w.warehouse,
    s.company_id,
    sum(s.quantity) AS on_hand,
    sum(s.reserved) AS reserved,
    sum(s.available) AS available,
    sum(coalesce(s.value, s.quantity * s.unit_cost)) AS value,
    s.currency,
    min({{ odoo_date('s.came_in_at', 'l.timezone') }}) FILTER (WHERE s.quantity > 0) AS oldest_on,
    max(s.synced_at) AS synced_at
FROM {{ ref('stg_odoo__stock') }} AS s
JOIN {{ ref('stg_odoo__location') }} AS l ON l.location_id = s.location_id AND l.is_internal
LEFT JOIN {{ ref('stg_odoo__product') }} AS p ON p.product_id = s.product_id
LEFT JOIN {{ ref('stg_odoo__warehouse') }} AS w ON w.warehouse_id = s.warehouse_id
GROUP BY
    s.product_id, p.product, p.sku, p.uom, p.is_storable, s.location_id, l.location_path, s.warehouse_id, w.warehouse,
    s.company_id, s.currency
