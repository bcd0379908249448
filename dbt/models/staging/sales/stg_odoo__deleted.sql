SELECT
    target,
    channel,
    id AS row_id,
    {{ odoo_key('channel', 'id') }} AS row_key,
    deleted_at
FROM {{ source('odoo', 'odoo_deleted') }}
