-- What each branch took on each day, and what was sold by sale orders, which have no branch.
-- orders: with refunds
-- refunds: orders with a negative amount
-- units: quantity sold, less what came back
-- amount: with taxes, refunds taken off
-- amount_untaxed: the same before taxes
-- settled: what of the amount pays for sale orders; take it off to add branches and sale orders
SELECT
    s.business_date, s.channel, s.branch_id, b.name AS branch, s.company_id, s.currency,
    count(*) AS orders,
    count(*) FILTER (WHERE s.is_refund) AS refunds,
    sum(s.units) AS units,
    sum(s.amount) AS amount,
    sum(s.amount_untaxed) AS amount_untaxed,
    sum(s.settled) AS settled
FROM reports.sales s
LEFT JOIN warehouse.dim_branches b ON b.id = s.branch_id
GROUP BY s.business_date, s.channel, s.branch_id, b.name, s.company_id, s.currency
