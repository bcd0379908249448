SELECT
    target,
    channel,
    id AS row_id,
    CASE channel WHEN '' THEN id ELSE {{ odoo_key('channel', 'id') }} END AS row_key,
    deleted_at
FROM {{ source('odoo', 'odoo_deleted') }}
