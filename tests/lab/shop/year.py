"""A year of the shop, day by day."""

from collections import defaultdict
from datetime import datetime, time, timedelta
from random import Random

from . import demand
from .catalogue import BRANCHES
from .people import Regulars
from .store import Store
from .till import Order, Session, Till

#: Growth from the first to the last day.
GROWTH = .12
REFUNDS = .026
#: Orders with a known customer.
KNOWN = .6


class Year:
    """What was done in `days` days up to `now`, the time in the shop."""

    def __init__(self, seed, now, days):
        self.now, self.days = now, days
        self.today = now.date()
        self.first = self.today - timedelta(days - 1)
        self.random = Random(seed)
        self.regulars = [Regulars(branch) for branch in range(len(BRANCHES))]
        self.store = Store(self.random, self.first, now)
        self.till = Till(self.random, self.store, self.today)
        self.sessions = []
        #: Orders of which something comes back, by branch and day.
        self.returns = defaultdict(list)
        for number in range(days):
            self.day(number, self.first + timedelta(number))
        self.sessions.sort(key=lambda session: (session.opened_at, session.branch))

    def day(self, number, day):
        self.store.receive(day)
        weather = self.random.lognormvariate(0, .09)
        if self.random.random() < .015:
            weather *= .5
        for branch in range(len(BRANCHES)):
            expected = demand.orders(branch, day) * weather * (1 - GROWTH / 2 + GROWTH * number / self.days)
            if expected:
                self.trade(branch, number, day, expected * self.random.lognormvariate(0, .07))
        self.store.review(number, day)

    def trade(self, branch, number, day, expected):
        first, weights = demand.hours(branch, day)
        opens, closes = datetime.combine(day, time(first)), datetime.combine(day, time(first + len(weights)))
        early, late = (self.random.randrange(len(BRANCHES[branch].cashiers)) for _ in range(2))
        session = Session(branch, late, opens - timedelta(minutes=self.random.randint(4, 14)))
        count = max(0, round(self.random.gauss(expected, expected**.5)))
        times = sorted(self.moment(opens, weights) for _ in range(count))
        back = sorted((self.moment(opens, weights), order) for order in self.returns.pop((branch, day), ()))
        for at in times:
            while back and back[0][0] <= at:
                moment, order = back.pop(0)
                session.orders.append(self.till.refund(order, moment, late))
            self.serve(session, number, at, early if at.hour < 14 else late)
        session.orders += [self.till.refund(order, moment, late) for moment, order in back]
        difference = self.till.count(BRANCHES[branch].cashiers[late])
        closed_at = closes + timedelta(minutes=self.random.randint(8, 30))
        self.settle(session, closed_at, difference)

    def moment(self, opens, weights):
        hour = self.random.choices(range(len(weights)), weights)[0]
        return opens + timedelta(hours=hour, seconds=self.random.randrange(3600))

    def serve(self, session, number, at, cashier):
        branch, day = session.branch, at.date()
        customer = self.regulars[branch].one(self.random, number / self.days) if self.random.random() < KNOWN else None
        lines = self.till.basket(branch, day)
        if not lines:
            return
        # Cash becomes rarer.
        share = BRANCHES[branch].cash * (1.15 - .3 * number / self.days)
        total = sum(line.total for line in lines)
        order = Order(at, customer, cashier, lines, self.till.pay(total, share, customer))
        session.orders.append(order)
        if self.random.random() < REFUNDS:
            later = day + timedelta(self.random.randint(1, 18))
            while not demand.is_open(branch, later):
                later += timedelta(1)
            self.returns[branch, later].append(order)

    def settle(self, session, closed_at, difference):
        """What comes back lies in the shelf again; of a day that is not over there is what was until now."""
        shelves = self.store.shelves[session.branch]
        if closed_at <= self.now:
            session.closed_at, session.difference = closed_at, difference
        else:
            for order in [order for order in session.orders if order.at > self.now]:
                session.orders.remove(order)
                for line in order.lines:
                    if line.quantity > 0:
                        shelves[line.product].quantity += line.quantity
        for order in session.orders:
            for line in order.lines:
                if line.quantity < 0:
                    shelves[line.product].quantity -= line.quantity
        if session.opened_at <= self.now:
            self.sessions.append(session)
