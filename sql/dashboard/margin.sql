-- What the categories at the top earned in the last twelve months with sales: the 15 with most revenue of each currency.
WITH recent AS (
    SELECT max(month) AS last FROM reports.margin_by_category WHERE month <= current_date
),
earned AS (
    SELECT
        m.top, m.currency, sum(m.revenue) AS revenue, sum(m.cost) AS cost, sum(m.margin) AS margin,
        sum(m.estimated) AS estimated, sum(m.without_cost) AS without_cost
    FROM reports.margin_by_category m
    CROSS JOIN recent r
    WHERE m.month > r.last - interval '12 months' AND m.month <= current_date
    GROUP BY m.top, m.currency
),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY currency ORDER BY revenue DESC NULLS LAST, top) AS place FROM earned
)
SELECT json_build_object('rows', coalesce(json_agg(r ORDER BY r.currency, r.place), '[]'))
FROM (
    SELECT
        top, currency, place, revenue, cost, margin, estimated, without_cost,
        round(margin / nullif(revenue - without_cost, 0) * 100, 1) AS percent
    FROM placed
    WHERE place <= 15
) r
