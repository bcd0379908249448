-- What is left on gift cards and eWallets: what the company owes to those who have them.
-- program_id: NULL for the gift cards of Odoo 14 and 15, which have none
-- cards: with something left
-- liability: what is left on cards that can still be used
-- expired: what is left on cards that cannot
SELECT
    c.company_id, c.program_id, p.name AS program, p.program_type, p.currency,
    count(*) FILTER (WHERE c.points <> 0) AS cards,
    coalesce(sum(c.points) FILTER (WHERE c.expiration_date IS NULL OR c.expiration_date >= current_date), 0) AS liability,
    coalesce(sum(c.points) FILTER (WHERE c.expiration_date < current_date), 0) AS expired
FROM warehouse.dim_loyalty_cards c
LEFT JOIN warehouse.dim_promotions p ON p.id = c.program_id
WHERE c.active AND c.deleted_at IS NULL
  AND (c.program_id IS NULL OR p.program_type IN ('gift_card', 'ewallet'))
GROUP BY c.company_id, c.program_id, p.name, p.program_type, p.currency
