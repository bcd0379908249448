-- How the tables of the server $1 are.
SELECT json_build_object('rows', coalesce(json_agg(r ORDER BY r.trouble DESC, r.target), '[]'))
FROM (
    SELECT
        target, state, lag_seconds, rows_estimate, quarantined, missing, left(last_error, 500) AS last_error,
        (state NOT IN ('idle', 'following', 'running', 'absent'))::integer * 2 + (quarantined + missing > 0)::integer AS trouble
    FROM odoo.odoo_sync_status
    WHERE server = $1
) r
