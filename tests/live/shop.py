"""What the demo data lacks: orders of several sessions with refunds, discounts, rewards and
tips, archived records, a second company, strange texts. Made through Odoo's API."""

TEXTS = [
    "Tee 🍵 \"grün\" & <süß>",
    "O'Neill \\ \"x\" $$",
    "שלום עולם مرحبا",
    "one\ntwo\tthree",
    "x" * 100_000,
]


def furnish(api):
    """Fills the shop; returns the ids that tests ask for."""
    made = {}
    company_two(api, made)
    people(api, made)
    goods(api, made)
    counter(api, made)
    cards(api, made)
    sales(api, made)
    purchases(api, made)
    invoices(api, made)
    return made


def create(api, model, **values):
    return api(model, "create", [values])[0]


def reference(api, module, name):
    """The id of a record that a module brought."""
    return api("ir.model.data", "search_read", [("module", "=", module), ("name", "=", name)], ["res_id"])[0]["res_id"]


def user(api, name, groups, language="en_US"):
    """A user who works for all companies; its password is its name. Groups are (module, name)."""
    companies = api("res.company", "search", [], context={"active_test": False})
    ids = [reference(api, module, group) for module, group in groups]
    return create(
        api, "res.users", name=name, login=name, password=name, lang=language,
        company_ids=[(6, 0, companies)], **{"group_ids" if api.release >= 19 else "groups_id": [(6, 0, ids)]},
    )


def french(api):
    """Activates the language, with the modules' translations."""
    language = api("res.lang", "search", [("code", "=", "fr_FR")], context={"active_test": False})
    named = {"lang_ids": [(6, 0, language)]} if api.release >= 16 else {"lang": "fr_FR"}
    wizard = create(api, "base.language.install", **named)
    api("base.language.install", "lang_install", [wizard])


def company_two(api, made):
    # Names of companies and codes of warehouses are unique.
    number = api("res.company", "search_count", [])
    euro = api("res.currency", "search", [("name", "=", "EUR")], context={"active_test": False})
    api("res.currency", "write", euro, {"active": True})
    company = create(api, "res.company", name=f"Boutique {number}", currency_id=euro[0])
    api("res.users", "write", [2], {"company_ids": [(4, company)]})
    calendar = create(api, "resource.calendar", name="Paris", tz="Europe/Paris", company_id=company)
    api("res.company", "write", [company], {"resource_calendar_id": calendar})
    # A point of sale needs its company's journals.
    if api.release >= 16:
        api("account.chart.template", "try_loading", [], "generic_coa", company, install_demo=False)
    else:
        chart = reference(api, "l10n_generic_coa", "configurable_chart_template")
        api("account.chart.template", "try_loading", [chart], context={"allowed_company_ids": [company]})
    # The chart brought the currency of its own country.
    api("res.company", "write", [company], {"currency_id": euro[0]})
    made["company"] = company
    made["warehouse"] = create(
        api, "stock.warehouse", name=f"Entrepôt {number}", code=f"B{number}", company_id=company
    )


def people(api, made):
    tags = [create(api, "res.partner.category", name=name) for name in ("VIP, gold", 'say "hi"', "b\\c")]
    parent = create(api, "res.partner", name="Parent & Sons", is_company=True, vat="BE0477472701")
    made["customer"] = create(
        api, "res.partner", name="Tagged", parent_id=parent, category_id=[(6, 0, tags)], ref="R-1"
    )
    create(api, "res.partner", name="Gone", active=False)
    for text in TEXTS:
        create(api, "res.partner", name=text, city="Lyon", country_id=75)
    department = create(api, "hr.department", name="Tasting")
    head = create(api, "hr.employee", name="Head", department_id=department, birthday="1970-02-28")
    api("hr.department", "write", [department], {"manager_id": head})
    made["employee"] = hire(api, "2020-01-15", name="Taster", department_id=department, parent_id=head,
                            sex="female", birthday="2000-02-29")
    hire(api, "2019-06-01", name="Left", active=False, departure_date="2024-05-31")


def hire(api, since, sex=None, **values):
    """An employee with a contract, which is a model of its own before 19."""
    values |= {"sex" if api.release >= 19 else "gender": sex} if sex else {}
    if api.release >= 19:
        return create(api, "hr.employee", contract_date_start=since, **values)
    employee = create(api, "hr.employee", **values)
    create(api, "hr.contract", name=values["name"], employee_id=employee, date_start=since, wage=1, state="open")
    return employee


def goods(api, made):
    category = create(api, "product.category", name="Leaves", parent_id=create(api, "product.category", name="Tea"))
    storable = {"is_storable": True} if api.release >= 18 else {"type": "product"}
    tea = dict(categ_id=category, available_in_pos=True, **storable)
    made["tea"] = create(api, "product.product", name="Oolong", list_price=12.5, standard_price=4.25, **tea)
    made["discounted"] = create(api, "product.product", name="Sencha", list_price=9.99, **tea)
    create(api, "product.product", name="Old Assam", active=False, list_price=1, **tea)
    # A product of the second company, whose cost only that company has.
    made["foreign"] = api(
        "product.product", "create",
        [{"name": "Macaron", "company_id": made["company"], "standard_price": 0.8, **tea}],
        context={"allowed_company_ids": [made["company"]]},
    )[0]


def promotion(api, made):
    """A promotion; the reward that a till's line can name, before 16 there is none."""
    if api.release >= 16:
        made["program"] = create(
            api, "loyalty.program", name="Second leaf free", program_type="promotion",
            date_from="2024-01-01", date_to="2030-12-31", limit_usage=True, max_usage=3,
            reward_ids=[(0, 0, {"reward_type": "discount", "discount": 10, "required_points": 1})],
        )
        return api("loyalty.reward", "search", [("program_id", "=", made["program"])])[0]
    made["program"] = create(
        api, "coupon.program", name="Second leaf free", program_type="promotion_program",
        promo_code_usage="no_code_needed", rule_date_from="2024-01-01 00:00:00", rule_date_to="2030-12-31 00:00:00",
        maximum_use_number=3, reward_type="discount", discount_type="percentage", discount_percentage=10,
    )


def cards(api, made):
    """Of a customer, and of nobody; what was given and used is told from 18 on."""
    if api.release < 16:
        program = create(api, "coupon.program", name="Coupons", program_type="coupon_program", validity_duration=30,
                         reward_type="discount", discount_type="percentage", discount_percentage=5)
        create(api, "coupon.coupon", program_id=program, partner_id=made["customer"])
        made["card"] = create(api, "coupon.coupon", program_id=made["program"], state="used")
        return
    program = create(api, "loyalty.program", name="Gifts", program_type="gift_card")
    made["card"] = create(api, "loyalty.card", program_id=program, points=17.25, expiration_date="2030-12-31")
    create(api, "loyalty.card", program_id=made["program"], partner_id=made["customer"], points=3)
    if api.release >= 18:
        history = {"card_id": made["card"], "order_model": "pos.order", "order_id": made["orders"][0]}
        create(api, "loyalty.history", issued=25, description="Sold", **history)
        create(api, "loyalty.history", used=7.75, description="Paid with", **history)


def payment_methods(api, company, make):
    """Cash in a drawer of its own, and cards."""
    number = api("account.journal", "search_count", [])
    drawer = make("account.journal", name=f"Drawer {number}", type="cash", code=f"D{number}", company_id=company)
    if api.release >= 15:
        bank = api("account.journal", "search", [("type", "=", "bank"), ("company_id", "=", company)])[0]
        cash, card = {"journal_id": drawer}, {"journal_id": bank}
    else:
        cash, card = {"cash_journal_id": drawer, "is_cash_count": True}, {}
    return [make("pos.payment.method", name=name, company_id=company, **values)
            for name, values in (("Cash", cash), ("Card", card))]


def counter(api, made):
    """Two branches, each with a session of orders: discount, refund, reward, tip, and a draft; one is
    paid by two means, with change."""
    made["orders"] = []
    reward = promotion(api, made)
    for company in (1, made["company"]):
        context = {"allowed_company_ids": [company]}

        def make(model, **values):
            return api(model, "create", [values], context=context)[0]

        # One of them is no longer in use.
        number = api("account.tax", "search_count", [], context={"active_test": False})
        taxes = [make("account.tax", name=f"Counter {number}: {amount} %", amount=amount, active=is_used)
                 for amount, is_used in ((20, True), (19.6, False))]
        cash, card = payment_methods(api, company, make)
        branch = make("pos.config", name=f"Counter {company}", payment_method_ids=[(6, 0, [cash, card])])
        made.setdefault("branches", []).append(branch)
        session = make("pos.session", config_id=branch, user_id=2)

        def pay(order, method, amount, **values):
            make("pos.payment", pos_order_id=order, payment_method_id=method, amount=round(amount, 2), **values)

        def order(when, lines, state="paid", change=0, **values):
            total = round(sum(line["price_subtotal_incl"] for line in lines), 2)
            untaxed = round(sum(line["price_subtotal"] for line in lines), 2)
            id = make(
                "pos.order", session_id=session, company_id=company, date_order=when,
                amount_total=total, amount_tax=round(total - untaxed, 2), amount_paid=total,
                amount_return=change, lines=[(0, 0, line) for line in lines], **values,
            )
            if change:
                pay(id, card, 5, card_type="DEBIT")
                pay(id, cash, total - 5 + change)
                pay(id, cash, -change, is_change=True)
            else:
                pay(id, cash, total)
            if state != "draft":
                api("pos.order", "write", [id], {"state": state}, context=context)
            made["orders"].append(id)
            return id

        def line(product, qty, price, discount=0.0, **values):
            subtotal = round(qty * price * (1 - discount / 100), 2)
            return {
                "name": "L", "tax_ids": [(6, 0, taxes)], "product_id": product, "qty": qty, "price_unit": price,
                "discount": discount, "price_subtotal": subtotal,
                "price_subtotal_incl": round(subtotal * 1.2, 2), **values,
            }

        # Half past ten in the evening in UTC is the next day in Paris.
        first = order("2024-03-31 22:30:00", [line(made["tea"], 2, 12.5), line(made["discounted"], 1, 9.99, 15)],
                      change=9.5, partner_id=made["customer"], employee_id=made["employee"])
        sold = api("pos.order", "read", [first], ["lines"])[0]["lines"][0]
        refunds = {"refunded_orderline_id": sold} if api.release >= 15 else {}
        order("2024-04-01 10:00:00", [line(made["tea"], -1, 12.5, **refunds)])
        # As the till sends a refund: only the quantity and the order's total are negative.
        till = {**line(made["tea"], -1, 12.5), "price_subtotal": 12.5, "price_subtotal_incl": 15.0}
        told = {"is_refund": True} if api.release >= 19 else {}
        back = order("2024-04-01 10:30:00", [till], **told)
        api("pos.order", "write", [back], {"amount_total": -15.0, "amount_paid": -15.0})
        api("pos.payment", "write", api("pos.payment", "search", [("pos_order_id", "=", back)]), {"amount": -15.0})
        rewards = {"reward_id": reward, "is_reward_line": True} if reward else {}
        order("2024-04-01 11:00:00", [line(made["tea"], 3, 12.5), line(made["tea"], 1, -1.25, **rewards)],
              state="done", is_tipped=True, tip_amount=1.5)
        order("2024-04-01 12:00:00", [line(made["tea"], 9, 12.5)], state="draft")


def sales(api, made):
    order = create(
        api, "sale.order", partner_id=made["customer"],
        order_line=[
            (0, 0, {"display_type": "line_section", "name": "A section"}),
            (0, 0, {"product_id": made["tea"], "product_uom_qty": 5, "discount": 10}),
            (0, 0, {"display_type": "line_note", "name": "A note"}),
        ],
    )
    api("sale.order", "action_confirm", [order])
    made["sale"] = order
    if api.release < 15:
        return
    line = api("sale.order.line", "search", [("order_id", "=", order), ("product_id", "!=", False)])[0]
    settled = api("pos.order", "read", [made["orders"][0]], ["lines"])[0]["lines"][0]
    api("pos.order.line", "write", [settled], {"sale_order_line_id": line, "sale_order_origin_id": order})


def purchases(api, made):
    vendor = create(api, "res.partner", name="Garden", is_company=True)
    order = create(
        api, "purchase.order", partner_id=vendor,
        order_line=[
            (0, 0, {"product_id": made["tea"], "product_qty": 10, "price_unit": 4}),
            (0, 0, {"display_type": "line_note", "name": "fragile", "product_qty": 0}),
        ],
    )
    api("purchase.order", "button_confirm", [order])
    picking = api("stock.picking", "search", [("purchase_id", "=", order)])[0]
    move = api("stock.move", "search", [("picking_id", "=", picking)])
    api("stock.move", "write", move, {"quantity": 4, "picked": True} if api.release >= 17 else {"quantity_done": 4})
    # Four of ten arrived; the rest stays on order.
    api("stock.picking", "button_validate", [picking], context={"skip_backorder": True})
    made["purchase"] = order


def invoices(api, made):
    """One of a customer, with a refund and a draft, and a vendor's bill in another currency."""
    made["invoice"] = invoice(api, made, "out_invoice", 12.5, partner_id=made["customer"], invoice_origin="By hand")
    invoice(api, made, "out_refund", 12.5, partner_id=made["customer"])
    made["draft"] = invoice(api, made, "out_invoice", 1, post=False, partner_id=made["customer"])
    euro = api("res.currency", "search", [("name", "=", "EUR")])[0]
    invoice(api, made, "in_invoice", 4, partner_id=made["customer"], currency_id=euro, ref="R-77")


def invoice(api, made, move_type, price, post=True, **values):
    line = {"product_id": made["tea"], "quantity": 3, "price_unit": price, "discount": 10}
    move = create(api, "account.move", move_type=move_type, invoice_date="2024-04-02", invoice_line_ids=[(0, 0, line)], **values)
    if post:
        api("account.move", "action_post", [move])
    return move


def euros(api, made):
    """Orders in euros in a company that counts in dollars: a till's, a sale order, and a purchase."""
    euro, pound = (api("res.currency", "search", [("name", "=", name)], context={"active_test": False})[0]
                   for name in ("EUR", "GBP"))
    api("res.currency", "write", [euro, pound], {"active": True})
    create(api, "res.currency.rate", name="2024-01-15", currency_id=euro, company_id=1, rate=1.25)
    # Everybody's, which the older one of the first company comes before.
    create(api, "res.currency.rate", name="2024-02-10", currency_id=pound, company_id=False, rate=0.7)
    pricelist = create(api, "product.pricelist", name="In euros", currency_id=euro, company_id=1)
    line = {"product_id": made["tea"], "price_unit": 10}
    campaign = create(api, "utm.campaign", **{"title" if api.release >= 16 else "name": "Tea time"})
    made["euro_sale"] = create(
        api, "sale.order", partner_id=made["customer"], pricelist_id=pricelist, date_order="2024-03-31 22:30:00",
        campaign_id=campaign, medium_id=create(api, "utm.medium", name="Leaflet"),
        order_line=[(0, 0, {**line, "product_uom_qty": 3})],
    )
    made["euro_purchase"] = create(
        api, "purchase.order", partner_id=made["customer"], currency_id=euro, date_order="2024-03-31 22:30:00",
        origin="By hand", order_line=[(0, 0, {**line, "product_qty": 7})],
    )
    journal = create(api, "account.journal", name="Euro till", code="EURT", type="sale", currency_id=euro)
    branch = create(api, "pos.config", name="Euro counter", journal_id=journal, payment_method_ids=[(6, 0, [])],
                    use_pricelist=True, pricelist_id=pricelist, available_pricelist_ids=[(6, 0, [pricelist])])
    session = create(api, "pos.session", config_id=branch, user_id=2)
    # Nobody has paid it.
    amounts = {"amount_total": 12.0, "amount_tax": 2.0, "amount_paid": 0, "amount_return": 0}
    made["euro_order"] = create(
        api, "pos.order", session_id=session, company_id=1, date_order="2024-03-31 22:30:00", pricelist_id=pricelist,
        lines=[(0, 0, {**line, "name": "L", "qty": 1, "price_subtotal": 10.0, "price_subtotal_incl": 12.0})], **amounts,
    )
    api("pos.order", "write", [made["euro_order"]], {"state": "paid"})
    return made
