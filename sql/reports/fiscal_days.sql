-- The fiscal year, quarter and period of every day, for each company by its last day of the fiscal year.
-- fiscal_year: the calendar year in which it ends
-- first_day: of the fiscal year
-- last_day: of the fiscal year
-- fiscal_quarter: 1 to 4
-- fiscal_period: month of the fiscal year, 1 to 12
SELECT
    c.id AS company_id, c.name AS company, d.day,
    extract(year FROM y.last_day)::integer AS fiscal_year,
    y.first_day, y.last_day,
    (p.period - 1) / 3 + 1 AS fiscal_quarter,
    p.period AS fiscal_period
FROM warehouse.dim_companies c
CROSS JOIN warehouse.dim_date d
CROSS JOIN LATERAL (
    -- December 31 where Odoo keeps no books.
    SELECT
        coalesce(c.fiscal_year_last_month::integer, 12) AS month,
        CASE
            WHEN c.fiscal_year_last_month::integer = 2 AND c.fiscal_year_last_day::integer >= 28 THEN 31
            ELSE coalesce(c.fiscal_year_last_day::integer, 31)
        END AS day
) AS f
CROSS JOIN LATERAL (
    -- As Odoo has it: no later than the month's end, and the end of February in every year if it is the 28th or 29th.
    SELECT
        max(least(o.first + f.day - 1, o.last)) FILTER (WHERE least(o.first + f.day - 1, o.last) < d.day) + 1 AS first_day,
        min(least(o.first + f.day - 1, o.last)) FILTER (WHERE least(o.first + f.day - 1, o.last) >= d.day) AS last_day
    FROM generate_series(d.year - 1, d.year + 1) AS ends (year)
    CROSS JOIN LATERAL (
        SELECT
            make_date(ends.year, f.month, 1) AS first,
            (make_date(ends.year, f.month, 1) + interval '1 month')::date - 1 AS last
    ) AS o
) AS y
CROSS JOIN LATERAL (
    SELECT (extract(year FROM a) * 12 + extract(month FROM a))::integer + 1 AS period
    FROM (SELECT age(d.day, y.first_day) AS a) AS since
) AS p
