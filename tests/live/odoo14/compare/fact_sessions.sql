-- pos.session, as fact_sessions shows it; its cash is that of a bank statement
WITH zones AS (
    SELECT c.id AS company_id, coalesce(cal.tz, p.tz, 'UTC') AS zone
    FROM res_company c
    JOIN res_partner p ON p.id = c.partner_id
    LEFT JOIN resource_calendar cal ON cal.id = c.resource_calendar_id
),
cash AS (
    SELECT DISTINCT ON (r.pos_config_id) r.pos_config_id AS branch_id, m.id AS method_id, m.cash_journal_id AS journal_id
    FROM pos_config_pos_payment_method_rel r
    JOIN pos_payment_method m ON m.id = r.pos_payment_method_id
    WHERE m.is_cash_count AND m.active
    ORDER BY r.pos_config_id, m.id
),
sums AS (
    SELECT s.id, t.balance_start AS opening, coalesce(t.balance_end_real, 0) AS counted,
           coalesce(t.total_entry_encoding, 0)
             + CASE s.state WHEN 'closed' THEN 0
                 ELSE coalesce((SELECT sum(p.amount) FROM pos_payment p JOIN pos_order o ON o.id = p.pos_order_id
                                WHERE o.session_id = s.id AND p.payment_method_id = c.method_id), 0)
               END AS moved
    FROM pos_session s
    JOIN pos_config b ON b.id = s.config_id AND b.cash_control
    JOIN cash c ON c.branch_id = b.id
    JOIN account_bank_statement t ON t.pos_session_id = s.id AND t.journal_id = c.journal_id
)
SELECT s.id, s.name, s.config_id AS branch_id, s.user_id, NULL::int AS employee_id, s.state,
       date_trunc('second', s.start_at) AT TIME ZONE 'UTC' AS start_at,
       date_trunc('second', s.stop_at) AT TIME ZONE 'UTC' AS stop_at,
       (s.start_at AT TIME ZONE 'UTC' AT TIME ZONE z.zone)::date AS business_date,
       sums.opening AS opening_cash,
       CASE s.state WHEN 'closed' THEN sums.counted END AS counted_closing_cash,
       sums.opening + sums.moved AS expected_closing_cash,
       CASE s.state WHEN 'closed' THEN sums.counted - sums.opening - sums.moved END AS cash_difference,
       NULL::text AS opening_notes, NULL::text AS closing_notes,
       cur.name AS currency, b.company_id,
       date_trunc('second', s.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM pos_session s
JOIN pos_config b ON b.id = s.config_id
JOIN zones z ON z.company_id = b.company_id
LEFT JOIN account_journal j ON j.id = b.journal_id
LEFT JOIN res_company c ON c.id = b.company_id
LEFT JOIN res_currency cur ON cur.id = coalesce(j.currency_id, c.currency_id)
LEFT JOIN sums ON sums.id = s.id
