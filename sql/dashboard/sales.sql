-- Amounts by period and branch: day, week or month, as $1 says or as long as there are sales. Of each currency those
-- eight branches that sold most, and the others together.
WITH span AS (
    SELECT min(business_date) AS first, max(business_date) AS last
    FROM reports.sales_by_day
    WHERE business_date <= current_date
),
unit AS (
    SELECT
        coalesce($1, CASE WHEN last - first < 93 THEN 'day' WHEN last - first < 750 THEN 'week' ELSE 'month' END) AS unit,
        last
    FROM span
),
bounds AS (
    SELECT
        unit,
        (date_trunc(unit, last::timestamp)
            - CASE unit WHEN 'day' THEN interval '61 days' WHEN 'week' THEN interval '52 weeks' ELSE interval '35 months' END
        )::date AS first
    FROM unit
),
sold AS (
    SELECT
        date_trunc(b.unit, s.business_date::timestamp)::date AS start, s.channel, s.branch_id, s.branch, s.currency,
        sum(s.orders) AS orders, sum(s.amount - s.settled) AS amount
    FROM reports.sales_by_day s
    CROSS JOIN bounds b
    WHERE s.business_date >= b.first AND s.business_date <= current_date
    GROUP BY 1, s.channel, s.branch_id, s.branch, s.currency
),
places AS (
    SELECT
        currency, branch_id,
        row_number() OVER (PARTITION BY currency ORDER BY sum(amount) DESC, branch_id) AS place
    FROM sold
    WHERE channel = 'pos' AND branch_id IS NOT NULL
    GROUP BY currency, branch_id
),
named AS (
    SELECT
        s.start, s.currency, s.orders, s.amount,
        CASE
            WHEN s.channel = 'sale' THEN 'sale orders'
            WHEN s.branch_id IS NULL THEN 'no branch'
            WHEN p.place > 8 THEN 'other branches'
            ELSE 'branch'
        END AS kind,
        CASE WHEN p.place <= 8 THEN s.branch_id END AS branch_id,
        CASE WHEN p.place <= 8 THEN coalesce(s.branch, '') END AS branch
    FROM sold s
    LEFT JOIN places p
        ON p.branch_id = s.branch_id AND p.currency IS NOT DISTINCT FROM s.currency AND s.channel = 'pos'
)
SELECT json_build_object(
    'unit', (SELECT unit FROM unit),
    'rows', coalesce(json_agg(r ORDER BY r.start, r.kind, r.branch_id), '[]')
)
FROM (
    SELECT start, kind, branch_id, branch, currency, sum(orders) AS orders, sum(amount) AS amount
    FROM named
    GROUP BY start, kind, branch_id, branch, currency
) r
