-- How customers paid in the last 90 days with payments, by branch: the 30 branches with most payments.
WITH recent AS (
    SELECT max(business_date) AS last FROM reports.tender_mix WHERE business_date <= current_date
),
paid AS (
    SELECT
        t.branch_id, t.branch, t.payment_method, t.currency, sum(t.payments) AS payments, sum(t.amount) AS amount
    FROM reports.tender_mix t
    CROSS JOIN recent r
    WHERE t.business_date > r.last - 90 AND t.business_date <= current_date
    GROUP BY t.branch_id, t.branch, t.payment_method, t.currency
),
places AS (
    SELECT branch_id, row_number() OVER (ORDER BY sum(payments) DESC, branch_id) AS place FROM paid GROUP BY branch_id
)
SELECT json_build_object('rows', coalesce(json_agg(r ORDER BY r.branch_id, r.amount DESC), '[]'))
FROM (
    SELECT p.branch_id, p.branch, p.payment_method, p.currency, p.payments, p.amount
    FROM paid p
    JOIN places o ON o.branch_id IS NOT DISTINCT FROM p.branch_id
    WHERE o.place <= 30
) r
