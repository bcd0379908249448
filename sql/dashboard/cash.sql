-- What was too much or too little in the drawers in the last twelve months: the 25 largest differences of a cashier's month.
SELECT json_build_object(
    'count', (SELECT count(*) FROM reports.cash_differences WHERE difference <> 0 AND month > current_date - interval '12 months'),
    'rows', coalesce(json_agg(r ORDER BY r.month DESC, r.branch, r.cashier), '[]')
)
FROM (
    SELECT month, branch_id, branch, cashier, currency, sessions, off, difference, short, "over"
    FROM reports.cash_differences
    WHERE difference <> 0 AND month > current_date - interval '12 months'
    ORDER BY abs(difference) DESC, month DESC
    LIMIT 25
) r
