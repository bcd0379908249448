-- coupon.program, as dim_promotions shows it; its parts are in the rule and the reward that it owns
SELECT p.id, pg_temp.translated('coupon.program,name', p.id, p.name) AS name, p.program_type,
       p.promo_code_usage AS trigger, p.promo_applicability AS applies_on,
       r.rule_date_from::date AS date_from, r.rule_date_to::date AS date_to,
       coalesce(p.maximum_use_number, 0) AS max_usage, cur.name AS currency, p.company_id,
       w.reward_type AS rewards,
       coalesce(p.active, false) AS active,
       date_trunc('second', p.write_date) AT TIME ZONE 'UTC' AS odoo_write_date
FROM coupon_program p
JOIN coupon_rule r ON r.id = p.rule_id
JOIN coupon_reward w ON w.id = p.reward_id
LEFT JOIN res_company c ON c.id = p.company_id
LEFT JOIN res_currency cur ON cur.id = c.currency_id
