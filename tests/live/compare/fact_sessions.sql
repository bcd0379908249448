-- pos.session, as fact_sessions shows it; cash is counted where there is a cash method, and once the session is closed
WITH zones AS (
    SELECT c.id AS company_id, coalesce(cal.tz, p.tz, 'UTC') AS zone
    FROM res_company c
    JOIN res_partner p ON p.id = c.partner_id
    LEFT JOIN resource_calendar cal ON cal.id = c.resource_calendar_id
),
cash AS (
    SELECT DISTINCT ON (r.pos_config_id) r.pos_config_id AS branch_id, m.id AS method_id
    FROM pos_config_pos_payment_method_rel r
    JOIN pos_payment_method m ON m.id = r.pos_payment_method_id
    WHERE m.is_cash_count AND m.active
    ORDER BY r.pos_config_id, m.sequence, m.id
),
sums AS (
    SELECT s.id,
           coalesce(s.cash_register_balance_start, 0) AS opening,
           coalesce(s.cash_register_balance_end_real, 0) AS counted,
           coalesce((SELECT sum(p.amount) FROM pos_payment p JOIN pos_order o ON o.id = p.pos_order_id
                     WHERE p.session_id = s.id AND p.payment_method_id = c.method_id
                       AND o.state IN ('paid', 'done', 'invoiced')), 0)
             + CASE s.state WHEN 'closed' THEN coalesce(s.cash_real_transaction, 0)
                 ELSE coalesce((SELECT sum(l.amount) FROM account_bank_statement_line l WHERE l.pos_session_id = s.id), 0)
               END AS moved
    FROM pos_session s JOIN cash c ON c.branch_id = s.config_id
    WHERE s.cash_journal_id IS NOT NULL
)
SELECT s.id, s.name, s.config_id AS branch_id, s.user_id, s.employee_id, s.state,
       date_trunc('second', s.start_at) AT TIME ZONE 'UTC' AS start_at,
       date_trunc('second', s.stop_at) AT TIME ZONE 'UTC' AS stop_at,
       (s.start_at AT TIME ZONE 'UTC' AT TIME ZONE z.zone)::date AS business_date,
       sums.opening AS opening_cash,
       CASE s.state WHEN 'closed' THEN sums.counted END AS counted_closing_cash,
       sums.opening + sums.moved AS expected_closing_cash,
       CASE s.state WHEN 'closed' THEN sums.counted - sums.opening - sums.moved END AS cash_difference,
       s.opening_notes, s.closing_notes,
       cur.name AS currency, b.company_id,
       date_trunc('second', s.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM pos_session s
JOIN pos_config b ON b.id = s.config_id
JOIN zones z ON z.company_id = b.company_id
LEFT JOIN res_currency cur ON cur.id = b.currency_id
LEFT JOIN sums ON sums.id = s.id
