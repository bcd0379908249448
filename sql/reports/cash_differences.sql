-- What was too much or too little in the drawer when sessions closed, by cashier and month. Sessions that are open,
-- or whose cash was not counted, are left out.
-- month: its first day
-- cashier: the employee, where the branch knows employees, else the user
-- off: sessions with a difference
-- difference: counted less expected
-- short: what was too little, as a positive number
-- over: what was too much
SELECT
    date_trunc('month', s.business_date::timestamp)::date AS month,
    s.branch_id, b.name AS branch, s.employee_id, s.user_id, coalesce(e.name, u.name) AS cashier, s.currency,
    count(*) AS sessions,
    count(*) FILTER (WHERE s.cash_difference <> 0) AS off,
    sum(s.expected_closing_cash) AS expected,
    sum(s.counted_closing_cash) AS counted,
    sum(s.cash_difference) AS difference,
    coalesce(-sum(s.cash_difference) FILTER (WHERE s.cash_difference < 0), 0) AS short,
    coalesce(sum(s.cash_difference) FILTER (WHERE s.cash_difference > 0), 0) AS over
FROM warehouse.fact_sessions s
LEFT JOIN warehouse.dim_branches b ON b.id = s.branch_id
LEFT JOIN warehouse.dim_employees e ON e.id = s.employee_id
LEFT JOIN warehouse.dim_users u ON u.id = s.user_id
WHERE s.state = 'closed' AND s.cash_difference IS NOT NULL
GROUP BY 1, s.branch_id, b.name, s.employee_id, s.user_id, 6, s.currency
