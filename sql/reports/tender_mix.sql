-- How each branch was paid on each day. Change is taken off the method that it was given back in, so that the amounts
-- are what stays; a payment that is split counts under each of its methods.
-- type: cash, bank, pay_later or online
-- payments: without change
-- amount: what was paid less the change
-- change: what was given back
-- percent: of what the branch was paid on that day in the currency
SELECT
    f.business_date, f.branch_id, b.name AS branch, f.payment_method_id, m.name AS payment_method, m.type, f.currency,
    count(*) FILTER (WHERE f.is_change IS NOT TRUE) AS payments,
    sum(f.amount) AS amount,
    coalesce(-sum(f.amount) FILTER (WHERE f.is_change), 0) AS change,
    round(
        100 * sum(f.amount)
        / nullif(sum(sum(f.amount)) OVER (PARTITION BY f.business_date, f.branch_id, f.currency), 0),
        1
    ) AS percent
FROM warehouse.fact_payments f
LEFT JOIN warehouse.dim_payment_methods m ON m.id = f.payment_method_id
LEFT JOIN warehouse.dim_branches b ON b.id = f.branch_id
GROUP BY f.business_date, f.branch_id, b.name, f.payment_method_id, m.name, m.type, f.currency
