"""How many come to a branch on a day, when, and what they want."""

from datetime import timedelta
from functools import cache

from .catalogue import BRANCHES, CATEGORIES, HOLIDAYS, PRODUCTS, is_black_friday, is_sale

#: Lines of an order and pieces of a line: what there is, and how often.
LINES = ((1, 2, 3, 4, 5, 6), (36, 30, 18, 9, 5, 2))
PIECES = ((1, 2, 3, 4), (80, 13, 4, 3))


def mean(choice):
    return sum(value * weight for value, weight in zip(*choice)) / sum(choice[1])


@cache
def season(number, day):
    """Of a category: between the middles of two months, in proportion."""
    months = CATEGORIES[number].season
    place = day.month - 1 + (day.day - 15) / 30
    before = int(place // 1)
    part = place - before
    return months[before % 12] * (1 - part) + months[(before + 1) % 12] * part


@cache
def wishes(branch, day):
    """How much each product is wanted."""
    appeal = BRANCHES[branch].appeal
    weights = [appeal.get(category.name, 1) * season(number, day) for number, category in enumerate(CATEGORIES)]
    return [product.popularity * weights[product.category] for product in PRODUCTS]


@cache
def usual(branch):
    appeal = BRANCHES[branch].appeal
    return sum(product.popularity * appeal.get(CATEGORIES[product.category].name, 1) for product in PRODUCTS)


def is_open(branch, day):
    return (day.month, day.day) not in HOLIDAYS and BRANCHES[branch].weekdays[day.weekday()] > 0


@cache
def orders(branch, day):
    """How many are to be expected."""
    if not is_open(branch, day):
        return 0
    busy = sum(wishes(branch, day)) / usual(branch)
    special = 1.9 if is_black_friday(day) else 1.15 if is_sale(day) else 1
    return BRANCHES[branch].orders * BRANCHES[branch].weekdays[day.weekday()] * busy * special


@cache
def units(branch, day):
    """How many pieces of each product are to be expected."""
    weights = wishes(branch, day)
    factor = orders(branch, day) * mean(LINES) * mean(PIECES) / sum(weights)
    return [weight * factor for weight in weights]


def ahead(branch, product, day, days):
    """What is to be expected of a product from a day on."""
    return sum(units(branch, day + timedelta(ahead))[product] for ahead in range(days))


def hours(branch, day):
    """The first hour of a day, and how many come in each."""
    known = BRANCHES[branch].hours
    return known["sunday" if day.weekday() == 6 else "week"]
