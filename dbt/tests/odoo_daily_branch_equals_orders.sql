-- Days, branches and currencies of which odoo__daily_branch tells otherwise than the orders.
WITH days AS (
    SELECT business_date, channel, branch_id, company_id, currency, orders, amount, settled
    FROM {{ ref('odoo__daily_branch') }}
),

orders AS (
    SELECT business_date, channel, branch_id, company_id, currency, count(*) AS orders, sum(amount) AS amount, sum(settled) AS settled
    FROM {{ ref('odoo__orders') }}
    WHERE is_sale
    GROUP BY business_date, channel, branch_id, company_id, currency
)

(SELECT 'too much' AS fault, * FROM (SELECT * FROM days EXCEPT SELECT * FROM orders) AS more)
UNION ALL
(SELECT 'missing' AS fault, * FROM (SELECT * FROM orders EXCEPT SELECT * FROM days) AS less)
