-- Whether orders with a reward are larger than those without: a row for each promotion, and one for orders that have
-- none. Refunds are left out, and gift cards and eWallets are no rewards.
-- promotion_id: NULL for orders without a reward, and for rewards whose promotion is not known
-- with_reward: whether the orders have one
-- orders: an order with several promotions is in the row of each
-- lines: of an order, on average, without rewards
-- amount_untaxed: of an order, on average
-- given: what the rewards took off, before taxes
WITH rewards AS (
    SELECT channel, order_id, promotion_id, sum(given) AS given
    FROM reports.sales_lines
    WHERE is_reward
    GROUP BY channel, order_id, promotion_id
)
SELECT
    s.channel, r.promotion_id, p.name AS promotion, s.currency,
    r.order_id IS NOT NULL AS with_reward,
    count(*) AS orders,
    round(avg(s.lines + s.settled_lines), 2) AS lines,
    round(avg(s.amount_untaxed), 2) AS amount_untaxed,
    coalesce(sum(r.given), 0) AS given
FROM reports.sales s
LEFT JOIN rewards r ON r.channel = s.channel AND r.order_id = s.id
LEFT JOIN warehouse.dim_promotions p ON p.id = r.promotion_id
WHERE NOT s.is_refund
GROUP BY s.channel, r.promotion_id, p.name, s.currency, 5
