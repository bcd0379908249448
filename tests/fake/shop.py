"""The records of a small shop, as each release of Odoo would hold them.

Two companies in different time zones, with a point of sale each. A record gives its values under
every name that a field has had; `releases` leaves out the names that the release lacks. Ids
differ between models, but for pairs that must not be confused: order 71 and line 81 exist in
both channels.
"""

EUROPE, AMERICA = 1, 3
EUR, USD = 125, 2
PIECES, KILOS, DOZENS = 1, 12, 13
#: 22:30 in UTC is the next day in Paris, and 02:00 still the day before in New York.
EVENING, NIGHT = "2024-03-31 22:30:00", "2024-01-01 02:00:00"


def uom(id):
    return {"uom_id": id, "product_uom_id": id, "product_uom": id}


def unit(release, id, name, size=1.0):
    """A unit; until 18 `factor` is the inverse of what it is from 19 on."""
    return dict(id=id, name=name, active=True, factor=size if release >= 19 else 1 / size, factor_inv=size, rounding=0.01)


def moved(release, quantity, size=1.0):
    """What a done move tells of its quantity, which is in its own unit: until 16 the demand is what was
    done, from 17 on it stays what was asked for."""
    demand = quantity if release <= 16 else quantity + 1
    return dict(state="done", product_uom_qty=demand, product_qty=demand * size, quantity_done=quantity,
                quantity=quantity, picked=True)


def stored_product(release):
    """The type of goods, and whether they are stored, by the fields of the release."""
    if release >= 18:
        return {"type": "consu", "is_storable": True}
    return {"type": "product", "detailed_type": "product"}


def shop(release):
    """Records by model."""
    return {
        **companies(),
        **money(),
        **people(),
        **products(release),
        **stock(),
        **moves(release),
        **promotions(),
        **cards(),
        **points_of_sale(release),
        **payments(),
        **sales(),
        **purchases(),
        **invoices(release),
    }


def companies():
    return {
        "res.company": [
            dict(id=EUROPE, name="Europe", active=True, partner_id=1, currency_id=EUR, resource_calendar_id=5,
                 root_id=EUROPE, fiscalyear_last_day=31, fiscalyear_last_month="12"),
            dict(id=AMERICA, name="America", active=True, partner_id=4, currency_id=USD, parent_id=EUROPE,
                 root_id=EUROPE, fiscalyear_last_day=30, fiscalyear_last_month="6"),
        ],
        "res.currency": [dict(id=EUR, name="EUR", active=True), dict(id=USD, name="USD", active=True)],
        "res.country": [dict(id=75, name="France", code="FR"), dict(id=233, name="United States", code="US")],
        "res.country.state": [dict(id=13, name="California", code="CA", country_id=233)],
        "resource.calendar": [dict(id=5, name="40 hours", tz="Europe/Paris", company_id=EUROPE)],
        "product.pricelist": [dict(id=6, name="Public", active=True, currency_id=EUR)],
    }


def money():
    return {
        "res.currency.rate": [
            dict(id=41, name="2020-01-01", currency_id=EUR, rate=1.0),
            dict(id=42, name="2024-03-01", currency_id=USD, rate=1.5),
            # A company's own come before everybody's, however old they are.
            dict(id=43, name="2024-01-01", currency_id=USD, company_id=EUROPE, rate=1.25),
            dict(id=44, name="2024-03-31", currency_id=USD, company_id=EUROPE, rate=1.1),
            dict(id=45, name="2024-01-01", currency_id=EUR, company_id=AMERICA, rate=0.9),
        ],
        "account.tax": [
            dict(id=3, name="VAT 20%", active=True, amount=20.0, amount_type="percent", type_tax_use="sale",
                 price_include=True, company_id=EUROPE),
            dict(id=5, name="VAT 19.6%", active=False, amount=19.6, amount_type="percent", type_tax_use="sale",
                 company_id=EUROPE),
            dict(id=8, name="Deductible", active=True, amount=20.0, amount_type="percent", type_tax_use="purchase",
                 company_id=EUROPE),
            dict(id=9, name="Bottle deposit", active=True, amount=0.0525, amount_type="fixed", type_tax_use="sale",
                 company_id=AMERICA),
        ],
        "utm.campaign": [dict(id=2, name="Spring", title="Spring")],
        "utm.medium": [dict(id=4, name="Newsletter", active=False)],
    }


def people():
    return {
        "res.partner": [
            dict(id=1, name="Europe", active=True, is_company=True, tz="Europe/London", country_id=75),
            dict(id=3, name="Admin", active=True, email="admin@shop.example", company_id=EUROPE),
            dict(id=4, name="America", active=True, is_company=True, tz="America/New_York", country_id=233),
            dict(id=6, name="Cleo", active=True, email="cleo@shop.example"),
            dict(id=8, name="Portal", active=False, email="portal@shop.example"),
            # A contact whose company has a higher id.
            dict(id=10, name="Ada O'Neill", active=True, parent_id=14, customer_rank=2, email="ada@shop.example",
                 phone="+1 555 0100", mobile="+1 555 0199", street="1 Main St", street2="Floor 2", city="San Francisco",
                 zip="94105", state_id=13, country_id=233, ref="C-10", lang="en_US", category_id=[9, 2],
                 user_id=6, team_id=5),
            dict(id=12, name="Vendor", active=True, is_company=True, supplier_rank=1, vat="FR23334175221"),
            dict(id=14, name="Wood Corner", active=True, is_company=True, country_id=75),
        ],
        "res.partner.category": [
            dict(id=2, name="Gold", active=True),
            dict(id=9, name='a "quoted", one', active=True),
        ],
        "res.users": [
            dict(id=2, login="admin", active=True, partner_id=3, company_id=EUROPE,
                 company_ids=[AMERICA, EUROPE]),
            # Odoo tells the employee of the current company alone.
            dict(id=6, login="cleo", active=True, partner_id=6, company_id=EUROPE, company_ids=[EUROPE],
                 sale_team_id=5, employee_id={EUROPE: 20}, employee_ids=[20]),
            dict(id=7, login="portal", active=False, partner_id=8, company_id=AMERICA, company_ids=[AMERICA],
                 share=True, employee_id={AMERICA: 25}, employee_ids=[25]),
        ],
        "crm.team": [
            # Its leader is a member of it.
            dict(id=5, name="Shops", active=True, user_id=6, company_id=EUROPE),
            dict(id=7, name="Web", active=False),
        ],
        "hr.department": [
            # Its manager works in it.
            dict(id=4, name="Sales", complete_name="Sales", active=True, manager_id=21, company_id=EUROPE),
            dict(id=9, name="Till", complete_name="Sales / Till", active=True, parent_id=4, company_id=EUROPE),
        ],
        "hr.job": [dict(id=11, name="Cashier", active=True, department_id=9, company_id=EUROPE)],
        "hr.work.location": [
            dict(id=3, name="Rue de Rivoli", active=True, address_id=1, company_id=EUROPE, location_type="office"),
        ],
        "hr.employee": [
            dict(id=20, name="Cleo", active=True, user_id=6, company_id=EUROPE, department_id=9, job_id=11,
                 parent_id=21, work_location_id=3, work_location="Rue de Rivoli", work_email="cleo@shop.example",
                 coach_id=21, country_id=75, barcode="041-20", work_phone="+33 1 00 00 00 00", gender="female", sex="female", birthday="1990-02-28",
                 first_contract_date="2015-01-01", contract_date_start="2020-01-01", version_ids=[31, 36]),
            dict(id=21, name="Boss", active=True, company_id=EUROPE, department_id=4),
            dict(id=25, name="Gone", active=False, user_id=7, company_id=AMERICA, departure_date="2020-12-31",
                 first_contract_date="2018-01-01", contract_date_start="2018-01-01", version_ids=[33]),
        ],
        # She left and came back.
        "hr.version": [
            dict(id=31, active=True, employee_id=20, contract_date_start="2020-01-01"),
            dict(id=33, active=True, employee_id=25, contract_date_start="2018-01-01"),
            dict(id=36, active=True, employee_id=20, contract_date_start="2015-01-01",
                 contract_date_end="2019-06-30"),
        ],
    }


def products(release):
    stored = stored_product(release)
    service = {"type": "service", "detailed_type": "service", "is_storable": False}
    both = {"sale_ok": True, "purchase_ok": True}
    euros = {"currency_id": EUR}
    return {
        "product.category": [
            dict(id=1, name="All", complete_name="All"),
            # A parent with a higher id than its child.
            dict(id=5, name="Tea", complete_name="All / Drinks / Tea", parent_id=8),
            dict(id=8, name="Drinks", complete_name="All / Drinks", parent_id=1),
        ],
        "product.brand": [dict(id=3, name="Finest", description="Since 1706", partner_id=12)],
        "product.template": [
            dict(id=40, name="Green tea", active=True, categ_id=5, list_price=19.99, available_in_pos=True,
                 pos_categ_id=4, pos_categ_ids=[4], tracking="lot", product_brand_id=3, **uom(KILOS), **stored,
                 **both, **euros),
            dict(id=41, name="Discount", active=True, categ_id=1, tracking="none", sale_ok=True, **uom(PIECES),
                 **service, **euros),
            dict(id=43, name="Iced tea", active=True, categ_id=8, list_price=5.0, company_id=AMERICA,
                 tracking="none", currency_id=USD, **uom(PIECES), **stored, **both),
        ],
        "product.product": [
            dict(id=31, active=True, product_tmpl_id=40, default_code="TEA", barcode="4006381333931",
                 weight=0.25, volume=0.001, standard_price={EUROPE: 2.5, AMERICA: 3.0}),
            dict(id=32, active=True, product_tmpl_id=41),
            dict(id=33, active=False, product_tmpl_id=40, default_code="TEA-OLD"),
            dict(id=34, active=True, product_tmpl_id=43, standard_price={EUROPE: 9.0, AMERICA: 4.25}),
        ],
        "uom.uom": [unit(release, PIECES, "Units"), unit(release, KILOS, "kg"), unit(release, DOZENS, "Dozens", 12.0)],
    }


def stock():
    lots = [dict(id=9, name="L-2024", product_id=31)]
    return {
        "stock.warehouse": [
            dict(id=2, name="Paris", code="PAR", active=True, company_id=EUROPE, partner_id=1,
                 view_location_id=7, lot_stock_id=8),
            dict(id=5, name="New York", code="NYC", active=True, company_id=AMERICA, partner_id=4,
                 view_location_id=17, lot_stock_id=18),
        ],
        "stock.location": [
            dict(id=4, name="Vendors", complete_name="Vendors", active=True, usage="supplier"),
            dict(id=7, name="PAR", complete_name="PAR", active=True, usage="view", company_id=EUROPE,
                 warehouse_id=2),
            dict(id=8, name="Stock", complete_name="PAR/Stock", active=True, usage="internal", location_id=7,
                 company_id=EUROPE, warehouse_id=2),
            dict(id=14, name="Customers", complete_name="Customers", active=True, usage="customer"),
            dict(id=15, name="Inventory adjustment", complete_name="Inventory adjustment", active=True, usage="inventory",
                 company_id=EUROPE),
            dict(id=16, name="Scrap", complete_name="Scrap", active=True, usage="inventory", scrap_location=True,
                 company_id=EUROPE),
            dict(id=17, name="NYC", complete_name="NYC", active=True, usage="view", company_id=AMERICA,
                 warehouse_id=5),
            dict(id=18, name="Stock", complete_name="NYC/Stock", active=True, usage="internal",
                 location_id=17, company_id=AMERICA, warehouse_id=5),
        ],
        "stock.picking.type": [
            dict(id=4, name="Receipts", code="incoming", active=True, warehouse_id=2, company_id=EUROPE),
            dict(id=9, name="PoS Orders", code="outgoing", active=True, warehouse_id=2, company_id=EUROPE),
            dict(id=19, name="PoS Orders", code="outgoing", active=True, warehouse_id=5, company_id=AMERICA),
        ],
        "stock.lot": lots,
        "stock.production.lot": lots,
        "stock.quant": [
            dict(id=61, product_id=31, location_id=8, warehouse_id=2, lot_id=9, company_id=EUROPE,
                 quantity=10.0, reserved_quantity=2.5, value=25.0, in_date="2024-01-02 03:04:05"),
            dict(id=62, product_id=34, location_id=18, warehouse_id=5, owner_id=12, company_id=AMERICA,
                 quantity=1.0, in_date="2024-01-03 00:00:00"),
            dict(id=64, product_id=31, location_id=14, quantity=-1.0, in_date="2024-01-04 00:00:00"),
        ],
    }


def moves(release):
    def move(id, source, to, quantity, date, uom_id=KILOS, size=1.0, **values):
        own = {"product_id": 31, "company_id": EUROPE, **moved(release, quantity, size), **uom(uom_id)}
        return {**own, "id": id, "location_id": source, "location_dest_id": to, "date": date, **values}

    return {
        "stock.picking": [dict(id=401, name="PAR/OUT/1", partner_id=10)],
        "stock.move": [
            move(101, 4, 8, 10.0, "2024-01-02 03:04:05", origin="P00015", picking_type_id=4, partner_id=12,
                 purchase_line_id=35, value=20.0, is_valued=True, stock_valuation_layer_ids=[301]),
            # Its cost was put right by a layer of its own.
            move(102, 8, 14, 2.0, EVENING, origin="S00071", picking_type_id=9, picking_id=401, sale_line_id=81,
                 value=5.5, is_valued=True, stock_valuation_layer_ids=[302, 303]),
            # In dozens, of what is counted in pieces.
            move(103, 4, 18, 2.0, NIGHT, DOZENS, 12.0, product_id=34, company_id=AMERICA),
            move(104, 8, 16, 0.5, EVENING, scrapped=True, scrap_id=7),
            move(105, 15, 8, 1.0, EVENING),
            move(106, 8, 18, 1.0, EVENING),
            # Of goods that go from the vendor to the customer.
            move(108, 4, 14, 3.0, EVENING),
            # Reserved.
            {**move(107, 8, 14, 1.0, EVENING), "state": "assigned"},
        ],
        "stock.valuation.layer": [
            dict(id=301, stock_move_id=101, product_id=31, company_id=EUROPE, quantity=10.0, value=20.0),
            dict(id=302, stock_move_id=102, product_id=31, company_id=EUROPE, quantity=-2.0, value=-5.0),
            dict(id=303, stock_move_id=102, product_id=31, company_id=EUROPE, value=-0.5),
        ],
    }


def promotions():
    return {
        "coupon.program": [
            dict(id=2, name="Spring", active=True, company_id=EUROPE, program_type="promotion_program",
                 promo_code_usage="no_code_needed", promo_applicability="on_current_order",
                 maximum_use_number=100, rule_id=6, reward_id=11),
            dict(id=7, name="Old", active=False, program_type="coupon_program", rule_id=9, reward_id=13),
        ],
        "coupon.rule": [
            dict(id=6, rule_date_from="2024-03-01 00:00:00", rule_date_to="2024-05-31 21:59:59"),
            dict(id=9),
        ],
        "coupon.reward": [dict(id=11, reward_type="discount"), dict(id=13, reward_type="product")],
        "loyalty.program": [
            dict(id=2, name="Spring", active=True, program_type="promotion", trigger="auto",
                 applies_on="current", date_from="2024-03-01", date_to="2024-05-31", max_usage=100,
                 company_id=EUROPE, currency_id=EUR, reward_ids=[11, 13]),
            dict(id=7, name="Old", active=False, program_type="coupons", currency_id=EUR),
        ],
        "loyalty.reward": [
            dict(id=11, active=True, program_id=2, description="10% on your order", reward_type="discount"),
            dict(id=13, active=True, program_id=2, description="Free tea", reward_type="product"),
        ],
    }


def cards():
    """Of every release that has any two: what a customer has, and what is used up."""
    return {
        "coupon.coupon": [
            dict(id=5, code="044-A", partner_id=10, program_id=2, state="new", expiration_date="2024-12-31"),
            dict(id=6, code="044-B", program_id=7, state="used", expiration_date="2023-12-31"),
        ],
        "gift.card": [
            dict(id=5, name="#5", code="044-A", partner_id=10, company_id=EUROPE, currency_id=EUR, initial_amount=20.0,
                 balance=12.5, state="valid", expired_date="2024-12-31", redeem_pos_order_line_ids=[82]),
            dict(id=6, name="#6", code="044-B", company_id=AMERICA, currency_id=USD, balance=0.0, state="expired",
                 expired_date="2023-12-31"),
        ],
        "loyalty.card": [
            dict(id=5, code="044-A", partner_id=10, program_id=2, company_id=EUROPE, currency_id=EUR, points=12.5,
                 expiration_date="2024-12-31", active=True, history_ids=[8, 9]),
            dict(id=6, code="044-B", program_id=7, currency_id=EUR, points=0.0, expiration_date="2023-12-31",
                 active=False),
        ],
        "loyalty.history": [
            dict(id=8, card_id=5, issued=20.0, description="Onsite Paris/0001", order_model="pos.order", order_id=71),
            dict(id=9, card_id=5, used=7.5, description="Order S00071", order_model="sale.order", order_id=71),
            # By hand, without an order.
            dict(id=10, card_id=6, issued=1.0, used=1.0, description="Mistaken"),
        ],
    }


def points_of_sale(release):
    # 19 has no such state: an invoiced order is a done one.
    invoiced = "invoiced" if release < 19 else "done"
    # The till of 19 leaves the sign of a refund's line to its quantity.
    refund = 1 if release == 19 else -1
    paris = dict(config_id=2, session_id=51, user_id=2, company_id=EUROPE, currency_id=EUR,
                 currency_rate=1.0, date_order=EVENING)
    return {
        "pos.config": [
            dict(id=2, name="Paris", active=True, company_id=EUROPE, currency_id=EUR, picking_type_id=9,
                 warehouse_id=2, crm_team_id=5, pricelist_id=6, cash_control=True),
            dict(id=5, name="New York", active=True, company_id=AMERICA, currency_id=USD,
                 picking_type_id=19, warehouse_id=5, cash_control=True),
        ],
        "pos.session": [
            # Never closed: nobody has counted.
            dict(id=51, name="POS/00051", config_id=2, state="opened", user_id=2, employee_id=20, company_id=EUROPE,
                 currency_id=EUR, start_at=EVENING, cash_control=True, cash_journal_id=21, cash_register_balance_start=100.0,
                 cash_register_balance_end=94.0, opening_notes="Two rolls of coins"),
            dict(id=52, name="POS/00052", config_id=5, state="closed", user_id=2, company_id=AMERICA, currency_id=USD,
                 start_at=NIGHT, stop_at="2024-01-01 09:00:00", cash_control=True, cash_journal_id=21, cash_register_balance_start=50.0,
                 cash_register_balance_end=74.0, cash_register_balance_end_real=73.5, closing_notes="Half a dollar short"),
            # Of cards alone.
            dict(id=54, name="POS/00054", config_id=5, state="closed", user_id=6, company_id=AMERICA, currency_id=USD,
                 start_at=NIGHT, stop_at="2024-01-01 10:00:00"),
        ],
        "pos.order": [
            dict(id=71, name="Paris/0001", pos_reference="Order 51-1", state="paid", partner_id=10,
                 employee_id=20, crm_team_id=5, amount_total=11.0, amount_tax=1.0, amount_paid=11.0,
                 amount_return=9.0, lines=[81, 82], **paris),
            dict(id=73, name="/", pos_reference="Order 51-2", state="draft", amount_total=1.0, amount_paid=1.0, lines=[84],
                 **paris),
            dict(id=74, name="Paris/0002", pos_reference="Order 51-3", state=invoiced, amount_total=-12.0,
                 amount_tax=-2.0, amount_paid=-12.0, lines=[80], **paris),
            dict(id=75, name="Paris/0003", pos_reference="Order 51-4", state="cancel", lines=[85], **paris),
            dict(id=76, name="New York/0001", pos_reference="Order 52-1", state="done", config_id=5,
                 session_id=52, user_id=2, company_id=AMERICA, currency_id=USD, currency_rate=1.0, date_order=NIGHT,
                 amount_total=24.0, amount_tax=4.0, amount_paid=24.0, lines=[86]),
        ],
        "pos.order.line": [
            # Refunds a line with a higher id.
            dict(id=80, order_id=74, product_id=31, qty=-1.0, price_unit=12.0, price_subtotal=refund * 10.0,
                 price_subtotal_incl=refund * 12.0, total_cost=-2.5, is_total_cost_computed=True, refunded_orderline_id=81, **uom(KILOS)),
            dict(id=81, order_id=71, product_id=31, qty=1.0, price_unit=12.0, price_subtotal=10.0,
                 price_subtotal_incl=12.0, total_cost=2.5, is_total_cost_computed=True, tax_ids=[3, 5], **uom(KILOS)),
            dict(id=82, order_id=71, product_id=32, qty=1.0, price_unit=-1.0, price_subtotal=-1.0,
                 price_subtotal_incl=-1.0, is_reward_line=True, reward_id=11, is_program_reward=True,
                 program_id=2, **uom(PIECES)),
            dict(id=84, order_id=73, product_id=31, qty=1.0, **uom(KILOS)),
            dict(id=85, order_id=75, product_id=31, qty=1.0, **uom(KILOS)),
            # Settles what the sale order with the same numbers sold.
            dict(id=86, order_id=76, product_id=31, qty=2.0, price_unit=12.5, discount=20.0,
                 price_subtotal=20.0, price_subtotal_incl=24.0, total_cost=5.0, is_total_cost_computed=True,
                 sale_order_origin_id=71, sale_order_line_id=81, **uom(KILOS)),
        ],
    }


def payments():
    paris = dict(session_id=51, company_id=EUROPE, currency_id=EUR, payment_date=EVENING)
    return {
        "pos.payment.method": [
            dict(id=2, name="Cash", active=True, company_id=EUROPE, type="cash", is_cash_count=True),
            dict(id=4, name="Card", active=True, company_id=EUROPE, type="bank"),
            dict(id=8, name="Cash", active=True, company_id=AMERICA, type="cash", is_cash_count=True),
            dict(id=11, name="On account", active=False, company_id=AMERICA, type="pay_later"),
        ],
        "pos.payment": [
            # Two tenders, and the change.
            dict(id=91, pos_order_id=71, payment_method_id=4, amount=5.0, card_type="DEBIT", card_brand="Visa", **paris),
            dict(id=92, pos_order_id=71, payment_method_id=2, amount=15.0, **paris),
            dict(id=93, pos_order_id=71, payment_method_id=2, amount=-9.0, is_change=True, **paris),
            # Of a draft.
            dict(id=94, pos_order_id=73, payment_method_id=2, amount=1.0, **paris),
            dict(id=95, pos_order_id=74, payment_method_id=2, amount=-12.0, **paris),
            dict(id=96, pos_order_id=76, payment_method_id=8, amount=24.0, session_id=52, company_id=AMERICA,
                 currency_id=USD, payment_date=NIGHT),
        ],
        "pos.category": [
            # A parent with a higher id than its child.
            dict(id=4, name="Tea", display_name="Drinks / Tea", parent_id=6),
            dict(id=6, name="Drinks", display_name="Drinks"),
        ],
    }


def sales():
    return {
        "sale.order": [
            dict(id=71, name="S00071", state="sale", date_order=EVENING, partner_id=10, user_id=6, team_id=5,
                 company_id=EUROPE, currency_id=EUR, currency_rate=1.0, amount_untaxed=20.0, amount_tax=4.0,
                 amount_total=24.0, campaign_id=2, medium_id=4, order_line=[81, 83]),
            # In another currency than its company's.
            dict(id=77, name="S00077", state="draft", date_order=NIGHT, partner_id=14, company_id=AMERICA,
                 currency_id=EUR, currency_rate=0.8, amount_untaxed=8.0, amount_tax=0.4, amount_total=8.4,
                 website_id=1, order_line=[87, 88]),
        ],
        "sale.order.line": [
            dict(id=81, order_id=71, product_id=31, product_uom_qty=2.0, price_unit=12.5, discount=20.0,
                 price_subtotal=20.0, price_total=24.0, tax_id=[3], tax_ids=[3], **uom(KILOS)),
            dict(id=83, order_id=71, name="A section", display_type="line_section"),
            dict(id=87, order_id=77, name="A note", display_type="line_note"),
            dict(id=88, order_id=77, product_id=34, product_uom_qty=1.0, price_unit=8.0, price_subtotal=8.0,
                 price_total=8.4, **uom(PIECES)),
        ],
    }


def purchases():
    return {
        "purchase.order": [
            dict(id=15, name="P00015", state="purchase", partner_id=12, user_id=2, company_id=EUROPE,
                 currency_id=USD, currency_rate=1.25, picking_type_id=4, origin="OP/00003",
                 invoice_status="to invoice", date_order="2024-01-01 08:00:00", date_approve="2024-01-01 09:00:00",
                 effective_date="2024-01-08 07:30:00"),
        ],
        "purchase.order.line": [
            dict(id=33, order_id=15, name="A section", display_type="line_section"),
            dict(id=35, order_id=15, product_id=31, product_qty=5.0, qty_received=3.0, qty_invoiced=1.0,
                 price_unit=2.0, discount=10.0, price_subtotal=9.0, price_total=10.8, taxes_id=[8], tax_ids=[8],
                 date_planned="2024-01-09 10:00:00", **uom(KILOS)),
        ],
    }


def invoices(release):
    """Of what was sold and bought above. Until 15 a line is shown on the invoice or not; from 16 on it
    has a type, which those of other entries have too."""

    def line(id, move_id, kind="product", **values):
        is_text = kind in ("line_section", "line_note")
        shown = {"display_type": kind} if release >= 16 or is_text else {}
        hidden = {"exclude_from_invoice_tab": kind not in ("product", "line_section", "line_note")}
        return dict(id=id, move_id=move_id, company_id=EUROPE, currency_id=EUR, company_currency_id=EUR, account_id=71,
                    **shown, **hidden) | values

    def move(id, name, move_type, **values):
        return dict(id=id, name=name, move_type=move_type, state="posted", payment_state="not_paid", date="2024-04-02",
                    partner_id=10, company_id=EUROPE, currency_id=EUR) | values

    tea = {"product_id": 31, "product_uom_id": KILOS, "name": "[TEA] Green tea"}
    return {
        "account.journal": [dict(id=21, name="Cash")],
        "account.account": [dict(id=71, name="Sales"), dict(id=72, name="Purchases")],
        "account.move": [
            move(501, "INV/2024/00001", "out_invoice", payment_state="paid", date="2024-03-31", invoice_date="2024-03-31",
                 invoice_date_due="2024-04-30", ref="PO-7", invoice_origin="S00071", invoice_user_id=6, team_id=5),
            move(502, "RINV/2024/00001", "out_refund", invoice_date="2024-04-02", invoice_date_due="2024-04-02"),
            move(503, "BILL/2024/01/0001", "in_invoice", date="2024-01-09", invoice_date="2024-01-08", partner_id=12,
                 invoice_origin="P00015", currency_id=USD),
            move(504, "MISC/2024/01/0001", "entry", partner_id=False),
            # Not sent yet, and without a number.
            move(505, False, "out_invoice", state="draft", partner_id=14, company_id=AMERICA, currency_id=USD),
        ],
        "account.move.line": [
            line(601, 501, quantity=2.0, price_unit=12.5, discount=20.0, price_subtotal=20.0, price_total=24.0, tax_ids=[3],
                 balance=-20.0, sale_line_ids=[81], **tea),
            line(602, 501, "tax", name="VAT 20%", balance=-4.0),
            line(603, 501, "payment_term", balance=24.0),
            line(604, 501, "line_section", name="Goods"),
            line(605, 502, quantity=1.0, price_unit=10.0, price_subtotal=10.0, price_total=12.0, balance=10.0, **tea),
            line(606, 503, quantity=5.0, price_unit=2.0, discount=10.0, price_subtotal=9.0, price_total=10.8, tax_ids=[8],
                 currency_id=USD, account_id=72, balance=7.2, purchase_line_id=35, **tea),
            line(607, 504, quantity=1.0, name="By hand", balance=5.0),
            line(608, 505, quantity=1.0, name="Advice", price_unit=100.0, price_subtotal=100.0, price_total=100.0,
                 balance=-100.0, company_id=AMERICA, currency_id=USD, company_currency_id=USD),
        ],
    }
