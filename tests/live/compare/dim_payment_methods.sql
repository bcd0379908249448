-- pos.payment.method, as dim_payment_methods shows it; the type is that of the journal
SELECT m.id, m.name ->> 'en_US' AS name, CASE WHEN j.type IN ('cash', 'bank') THEN j.type ELSE 'pay_later' END AS type,
       coalesce(m.is_cash_count, false) AS is_cash_count, m.company_id,
       coalesce(m.active, false) AS active,
       date_trunc('second', m.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM pos_payment_method m
LEFT JOIN account_journal j ON j.id = m.journal_id
