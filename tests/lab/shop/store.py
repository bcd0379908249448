"""The stock of the branches: what is there, what is ordered from vendors, and what comes."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from . import demand
from .catalogue import BRANCHES, CATEGORIES, PRODUCTS, VENDORS, changed, is_short

#: Each vendor is asked every so many days, for what is wanted until the next time and some days more.
REVIEW = 14
RESERVE = 9
PACK = 6


@dataclass
class Purchase:
    branch: int
    vendor: int
    ordered_at: datetime
    planned_at: datetime
    arrives_at: datetime
    #: (product, quantity, price in cents)
    lines: list


@dataclass
class Shelf:
    """One product in a branch, and when what lies there has come."""

    quantity: int = 0
    on_order: int = 0
    came: deque = field(default_factory=deque)

    def put(self, quantity, at):
        self.quantity += quantity
        self.came.appendleft((quantity, at))

    def oldest(self):
        """When the oldest of what is left came, if the first is sold first."""
        left = self.quantity
        for quantity, at in self.came:
            left -= quantity
            if left <= 0:
                return at
        return self.came[-1][1] if self.came else None


class Store:
    def __init__(self, random, first, now):
        self.random, self.now, self.today = random, now, now.date()
        self.shelves = [[Shelf() for _ in PRODUCTS] for _ in BRANCHES]
        self.purchases, self.coming = [], []
        self.opened_at = datetime.combine(first, time(6))
        for branch, shelves in enumerate(self.shelves):
            for product in PRODUCTS:
                shelves[product.index].put(self.packs(demand.ahead(branch, product.index, first, REVIEW + RESERVE)), self.opened_at)
        self.opening = [[shelf.quantity for shelf in shelves] for shelves in self.shelves]

    @staticmethod
    def packs(wanted):
        return -(-round(wanted) // PACK) * PACK

    def receive(self, day):
        """What comes in the morning of a day."""
        here = [purchase for purchase in self.coming if purchase.arrives_at.date() <= day and purchase.arrives_at <= self.now]
        for purchase in here:
            self.coming.remove(purchase)
            for product, quantity, _ in purchase.lines:
                shelf = self.shelves[purchase.branch][product]
                shelf.on_order -= quantity
                shelf.put(quantity, purchase.arrives_at)

    def review(self, number, day):
        """Orders from the vendors whose turn it is."""
        for branch in range(len(BRANCHES)):
            for vendor in range(len(VENDORS)):
                if (number + 5 * branch + 3 * vendor) % REVIEW == 0:
                    self.order(branch, vendor, day)

    def order(self, branch, vendor, day):
        lead, at = VENDORS[vendor].lead, datetime.combine(day, time(18, 30))
        if at > self.now:
            return
        lines = []
        for product in PRODUCTS:
            if CATEGORIES[product.category].vendor != vendor or is_short(product, day, self.today):
                continue
            shelf = self.shelves[branch][product.index]
            wanted = demand.ahead(branch, product.index, day, REVIEW + lead + RESERVE) * self.random.lognormvariate(0, .15)
            quantity = self.packs(wanted - shelf.quantity - shelf.on_order)
            if quantity > 0:
                shelf.on_order += quantity
                lines.append((product.index, quantity, changed(product, day, self.today)[1]))
        if lines:
            late = self.random.choice((-1, 0, 0, 0, 0, 0, 0, 1, 1, 3))
            purchase = Purchase(branch, vendor, at, self.morning(day, lead), self.morning(day, max(1, lead + late)), lines)
            self.purchases.append(purchase)
            self.coming.append(purchase)

    @staticmethod
    def morning(day, days):
        """Vendors do not drive on Sundays."""
        planned = day + timedelta(days)
        return datetime.combine(planned + timedelta(planned.weekday() == 6), time(6, 30))
