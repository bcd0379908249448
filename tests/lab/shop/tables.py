"""Rows of Odoo's own tables, as its point of sale, its purchases and its inventory leave them, copied in one transaction."""

from collections import defaultdict
from datetime import datetime, time, timedelta, timezone
from random import Random
from uuid import UUID

from .catalogue import BRANCHES, CHANGES, PRODUCTS, changed
from .copy import USER, Copy, listed, money
from .masters import COMPANY
from .stock import Stock
from .till import FLOAT
#: What others refer to comes first.
TABLES = (
    "product_value", "purchase_order", "purchase_order_line", "pos_session", "pos_order", "pos_order_line",
    "account_tax_pos_order_line_rel", "pos_payment", "stock_picking", "stock_move", "stock_move_line", "stock_quant",
)


def write(server, masters, year, zone):
    rows = Rows(server, masters, year, zone)
    rows.purchases()
    for session in year.sessions:
        rows.session(session)
    rows.stock.quants()
    rows.past()
    rows.copy.run()


class Rows:
    def __init__(self, server, masters, year, zone):
        self.copy = Copy(server, TABLES)
        self.masters, self.year, self.zone = masters, year, zone
        self.random = Random(year.days)
        self.stock = Stock(self.copy, masters, year, self.utc)
        self.lines = {}
        self.orders = {}
        self.numbers = defaultdict(int)

    def utc(self, local):
        return local.replace(tzinfo=self.zone).astimezone(timezone.utc).replace(tzinfo=None)

    def uuid(self):
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def session(self, session):
        masters, branch = self.masters, session.branch
        self.numbers["pos.session"] += 1
        opened, closed = self.utc(session.opened_at), session.closed_at and self.utc(session.closed_at)
        name = f"{BRANCHES[branch].name}/{self.numbers['pos.session']:05}"
        id = self.copy.add(
            "pos_session", opened, closed or opened, config_id=masters.tills[branch], user_id=USER, name=name,
            cash_journal_id=masters.drawers[branch], state="closed" if closed else "opened", start_at=opened, stop_at=closed,
            cash_register_balance_start=money(FLOAT), cash_real_transaction="0.00", rescue=False, update_stock_at_closing=True,
            cash_register_balance_end_real=money(session.expected + session.difference) if closed else None,
            employee_id=masters.cashiers[branch][session.cashier], access_token=self.uuid())
        for order in session.orders:
            self.order(order, session, id, closed)
        if closed:
            self.stock.sold(session, id, name)

    def order(self, order, session, session_id, closed):
        masters, branch, at = self.masters, session.branch, self.utc(order.at)
        self.numbers[branch] += 1
        number = f"{self.numbers[branch]:06}"
        sold = self.orders.get(order.refunds)
        name = f"{sold[1]} REFUND" if sold else f"{BRANCHES[branch].name} - {number}"
        employee = masters.cashiers[branch][order.cashier]
        # Closing a session writes its orders.
        id = self.copy.add(
            "pos_order", at, closed or at, user_id=USER, company_id=COMPANY, session_id=session_id,
            config_id=masters.tills[branch], sale_journal=masters.journals[branch], name=name,
            partner_id=order.customer and masters.customers[order.customer.index],
            sequence_number=self.numbers[branch], pos_reference=f"{at:%y}1-{masters.tills[branch]}-{number}",
            tracking_number=self.numbers[branch] % 1000, uuid=self.uuid(), source="pos", nb_print=1,
            state="done" if closed else "paid", amount_total=money(order.total), amount_tax=money(order.tax),
            amount_paid=money(order.total), amount_return=money(order.change), currency_rate="1.0", date_order=at,
            is_refund=bool(order.refunds), to_invoice=False, is_tipped=False, has_deleted_line=False, employee_id=employee,
            cashier=BRANCHES[branch].cashiers[order.cashier].name)
        self.orders[order] = id, name
        for line in order.lines:
            self.line(line, id, at)
        for payment in order.payments:
            self.copy.add(
                "pos_payment", at, at, pos_order_id=id, payment_method_id=self.method(branch, payment.method),
                session_id=session_id, company_id=COMPANY, card_brand=payment.brand, uuid=self.uuid(),
                amount=money(payment.amount), is_change=payment.is_change, payment_date=at, employee_id=employee)

    def method(self, branch, kind):
        return {"cash": self.masters.cash[branch], "card": self.masters.card, "account": self.masters.account}[kind]

    def line(self, line, order_id, at):
        product = self.masters.products[line.product]
        self.numbers["line"] += 1
        id = self.lines[line] = self.copy.add(
            "pos_order_line", at, at, company_id=COMPANY, product_id=product, order_id=order_id,
            refunded_orderline_id=self.lines.get(line.refunds), name=f"{self.numbers['line']:06}", price_type="original",
            full_product_name=PRODUCTS[line.product].name, uuid=self.uuid(), price_unit=money(line.price), qty=line.quantity,
            price_subtotal=money(line.subtotal), price_subtotal_incl=money(line.total), discount=line.discount,
            total_cost=money(line.quantity * line.cost), is_total_cost_computed=True, is_edited=False, price_extra=0,
            is_reward_line=False, qty_delivered=0)
        self.copy.link("account_tax_pos_order_line_rel", pos_order_line_id=id, account_tax_id=self.masters.tax)

    def purchases(self):
        number = self.copy.number("purchase.order")
        for purchase in self.year.store.purchases:
            self.purchase(purchase, f"P{number:05}")
            number += 1
        self.copy.go_on("purchase.order", number)

    def purchase(self, purchase, name):
        masters, branch, ordered = self.masters, purchase.branch, self.utc(purchase.ordered_at)
        planned, came = self.utc(purchase.planned_at), self.utc(purchase.arrives_at)
        is_here = purchase.arrives_at <= self.year.now
        total = sum(quantity * price for _, quantity, price in purchase.lines)
        same = dict(partner_id=masters.vendors[purchase.vendor], company_id=COMPANY, date_planned=planned)
        id = self.copy.add(
            "purchase_order", ordered, came if is_here else ordered, **same, currency_id=masters.currency, user_id=USER,
            name=name, priority="0", state="purchase", invoice_status="to invoice" if is_here else "no", invoice_count=0,
            amount_untaxed=money(total), amount_tax=0, amount_total=money(total), amount_total_cc=money(total),
            currency_rate="1.0", locked=False, acknowledged=False, receipt_reminder_email=False, date_order=ordered,
            date_approve=ordered, date_calendar_start=ordered, picking_type_id=masters.in_types[branch],
            receipt_status="full" if is_here else "pending", effective_date=came if is_here else None)
        lines = []
        for place, (product, quantity, price) in enumerate(purchase.lines):
            lines.append(self.copy.add(
                "purchase_order_line", ordered, came if is_here else ordered, **same, order_id=id, sequence=10 + place,
                product_id=masters.products[product], product_uom_id=masters.unit, qty_received_method="stock_moves",
                name=f"[{PRODUCTS[product].sku}] {PRODUCTS[product].name}", product_qty=quantity, product_uom_qty=quantity,
                price_unit=money(price), technical_price_unit=money(price), discount=0,
                price_subtotal=money(quantity * price), price_total=money(quantity * price), price_tax=0,
                qty_invoiced=0, qty_received=quantity if is_here else 0, qty_to_invoice=quantity if is_here else 0,
                is_downpayment=False, propagate_cancel=True))
        self.stock.bought(purchase, name, lines)

    def past(self):
        """Masters are as old as the shop, and costs have their history."""
        first = self.utc(self.year.store.opened_at)
        masters, year = self.masters, self.year
        people = [*masters.vendors, *masters.customers]
        for table, ids in (("product_product", masters.products), ("res_partner", people), ("pos_config", masters.tills)):
            self.copy.say(f"UPDATE {table} SET create_date = '{first}', write_date = '{first}' WHERE id IN ({listed(ids)})")
        # It says how each cost came about; Odoo's own records are of the day on which it made the shop.
        self.copy.value(f"DELETE FROM product_value WHERE product_id IN ({listed(masters.products)})")
        days = [year.first] + [day for change in CHANGES if (day := year.today - timedelta(change.days)) > year.first]
        for product, id in zip(PRODUCTS, masters.products):
            costs = {changed(product, day, year.today)[1]: day for day in reversed(sorted(days))}
            for cost, day in costs.items():
                at = self.utc(datetime.combine(day, time(5)))
                self.copy.add("product_value", at, at, product_id=id, company_id=COMPANY, user_id=USER, value=money(cost),
                              date=at, description="Cost of the catalogue")
        for branch, till in enumerate(masters.tills):
            self.copy.say(f"UPDATE ir_sequence SET number_next = {self.numbers[branch] + 1} "
                          f"WHERE id IN (SELECT order_seq_id FROM pos_config WHERE id = {till})")
        self.copy.go_on("pos.session", self.numbers["pos.session"] + 1)
