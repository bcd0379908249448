-- How much of what there was to sell in the last 90 days was sold: what was sold, of that and what is left.
-- sold: in the last 90 days, less what came back, in the product's unit
-- on_hand: in internal locations
-- percent: sold / (sold + on hand)
-- other_units: lines in another unit than the product's, which are not in sold
SELECT
    company_id, product_id, product, sku, uom, sold, on_hand,
    round(100 * sold / nullif(sold + greatest(on_hand, 0), 0), 1) AS percent,
    other_units
FROM reports.stock_turns
WHERE on_hand <> 0 OR sold <> 0
