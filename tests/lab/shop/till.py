"""What happens at a till: orders with their lines and payments, refunds, and the cash that is counted at the end. Amounts
are in cents."""

from dataclasses import dataclass, field
from datetime import datetime

from . import demand
from .catalogue import BESIDE, CATEGORIES, PRODUCTS, SALE, TAX, changed, is_sale
from .people import Customer

FLOAT = 15000
#: Coins and notes that people pay with.
NOTES = (100, 500, 1000, 2000, 5000)
CARDS = (("Visa", 5), ("Mastercard", 4), ("American Express", 1))
NAMES = {product.name: product.index for product in PRODUCTS}


@dataclass(eq=False)
class Line:
    product: int
    quantity: int
    price: int
    discount: int
    cost: int
    refunds: "Line" = None

    @property
    def subtotal(self):
        """Without tax. That of a refund is positive, as the till sends it."""
        return (abs(self.quantity) * self.price * (100 - self.discount) + 50) // 100

    @property
    def total(self):
        return self.subtotal + (self.subtotal * TAX + 50) // 100


@dataclass
class Payment:
    method: str
    amount: int
    brand: str = None
    is_change: bool = False


@dataclass(eq=False)
class Order:
    at: datetime
    customer: Customer
    cashier: int
    lines: list
    payments: list
    refunds: "Order" = None

    @property
    def sign(self):
        return -1 if self.refunds else 1

    @property
    def total(self):
        return self.sign * sum(line.total for line in self.lines)

    @property
    def tax(self):
        return self.total - self.sign * sum(line.subtotal for line in self.lines)

    @property
    def change(self):
        return -sum(payment.amount for payment in self.payments if payment.is_change)


@dataclass
class Session:
    branch: int
    cashier: int
    opened_at: datetime
    #: None as long as it is open.
    closed_at: datetime = None
    #: What was counted less what was expected.
    difference: int = 0
    orders: list = field(default_factory=list)

    @property
    def cash(self):
        return sum(p.amount for order in self.orders for p in order.payments if p.method == "cash")

    @property
    def expected(self):
        return FLOAT + self.cash


class Till:
    def __init__(self, random, store, today):
        self.random, self.store, self.today = random, store, today

    def basket(self, branch, day):
        """Lines of what is wanted and there; whoever finds nothing leaves."""
        found = {}
        weights = demand.wishes(branch, day)
        for index in self.random.choices(range(len(PRODUCTS)), weights, k=self.draw(demand.LINES)):
            self.take(branch, day, index, found)
            other, share = BESIDE.get(PRODUCTS[index].name, (None, 0))
            if other and self.random.random() < share:
                self.take(branch, day, NAMES[other], found)
        return list(found.values())

    def take(self, branch, day, index, found):
        product, shelf = PRODUCTS[index], self.store.shelves[branch][index]
        quantity = min(self.draw(demand.PIECES) if product.price < 3000 else 1, shelf.quantity)
        if index in found or quantity <= 0:
            return
        shelf.quantity -= quantity
        price, cost = changed(product, day, self.today)
        discount = SALE.get(CATEGORIES[product.category].name, 0) if is_sale(day) else 0
        found[index] = Line(index, quantity, price, discount, cost)

    def draw(self, choice):
        return self.random.choices(*choice)[0]

    def pay(self, total, cash_share, customer):
        """How an amount is paid."""
        if customer and customer.is_company and self.random.random() < .8:
            return [Payment("account", total)]
        # Small amounts are paid in cash more often.
        share = cash_share * (1.5 if total < 1500 else 1 if total < 5000 else .45)
        if self.random.random() >= share:
            if total > 4000 and self.random.random() < .02:
                return [Payment("cash", 2000), Payment("card", total - 2000, self.card())]
            return [Payment("card", total, self.card())]
        if self.random.random() < .25:
            return [Payment("cash", total)]
        note = next((note for note in NOTES if note >= total), 1000)
        given = -(-total // note) * note
        return [Payment("cash", given)] + ([Payment("cash", total - given, is_change=True)] if given > total else [])

    def card(self):
        return self.random.choices(*zip(*CARDS))[0]

    def refund(self, order, at, cashier):
        """One line of an earlier order comes back, and is paid back as it was paid."""
        sold = self.random.choice(order.lines)
        quantity = self.random.randint(1, sold.quantity)
        _, cost = changed(PRODUCTS[sold.product], at.date(), self.today)
        line = Line(sold.product, -quantity, sold.price, sold.discount, cost, refunds=sold)
        back = order.payments[0]
        return Order(at, order.customer, cashier, [line], [Payment(back.method, -line.total, back.brand)], refunds=order)

    def count(self, cashier):
        """What the drawer has too much or too little: mostly nothing, mostly little."""
        if self.random.random() >= cashier.slips:
            return 0
        size = self.random.choices((self.random.randrange(5, 200, 5), self.random.choice((500, 1000, 2000))), (5, 1))[0]
        return size if self.random.random() < .5 + cashier.lean / 2 else -size
