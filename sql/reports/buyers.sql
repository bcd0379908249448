-- Who a customer buys for: contacts and addresses count as their company, as in Odoo.
-- customer_id: the contact, as orders name it
-- buyer_id: the company, or the person who has none
WITH RECURSIVE buyers AS (
    SELECT id AS customer_id, id AS buyer_id, name AS buyer
    FROM warehouse.dim_customers
    WHERE is_company OR parent_id IS NULL
    UNION ALL
    SELECT c.id, b.buyer_id, b.buyer
    FROM warehouse.dim_customers c
    JOIN buyers b ON b.customer_id = c.parent_id
    WHERE c.is_company IS NOT TRUE
)
SELECT customer_id, buyer_id, buyer FROM buyers
