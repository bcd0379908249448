-- For how many days the stock lasts, if it sells as in the last 90 days.
-- on_hand: in internal locations, in the product's unit
-- sold: in the last 90 days, less what came back
-- per_day: sold in a day
-- days: NULL where nothing was sold
-- other_units: lines in another unit than the product's, which are not in sold
SELECT
    company_id, product_id, product, sku, uom, on_hand, sold,
    round(sold / 90.0, 3) AS per_day,
    CASE WHEN sold > 0 THEN round(greatest(on_hand, 0) / (sold / 90.0), 1) END AS days,
    other_units
FROM reports.stock_turns
WHERE on_hand <> 0 OR sold <> 0
