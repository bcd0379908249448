"""What the shop sells, where and when: the figures that make its year. Prices are in cents and without tax, and those of
the first day; `CHANGES` says what became of them."""

from collections import namedtuple
from datetime import date

Product = namedtuple("Product", "index name sku category price cost popularity")
Category = namedtuple("Category", "name code vendor share season goods")
Vendor = namedtuple("Vendor", "name lead")
Cashier = namedtuple("Cashier", "name slips lean")
Branch = namedtuple("Branch", "name code orders weekdays hours cash appeal cashiers")

#: Percent, on top of all prices.
TAX = 15

VENDORS = (
    Vendor("Greenleaf Nurseries", 4),
    Vendor("Hearth & Home Wholesale", 7),
    Vendor("Northern Candle Works", 10),
    Vendor("Harbour Roasters", 3),
)

#: Season: how much is bought in each month from January on, 1 is the year's mean. Goods: price and cost.
CATEGORIES = (
    Category("Garden", "GAR", 0, 1.2, (.3, .4, 1.0, 1.9, 2.3, 1.8, 1.2, 1.0, .8, .5, .3, .2), (
        ("Potting soil 20 l", 690, 410), ("Terracotta pot 20 cm", 890, 490), ("Herb seeds", 290, 130),
        ("Watering can 5 l", 1290, 760), ("Garden gloves", 790, 440), ("Lavender in a pot", 650, 400),
        ("Hand trowel", 990, 560), ("Bird feeder", 1890, 1090), ("Plant stand", 3490, 2150))),
    Category("Barbecue", "BBQ", 1, .7, (.1, .2, .5, 1.2, 2.0, 2.4, 2.2, 1.7, .9, .4, .2, .2), (
        ("Charcoal 5 kg", 990, 690), ("Firelighters", 390, 250), ("Grill tongs", 1490, 1010),
        ("Skewers, set of 6", 1190, 790), ("Kettle grill", 8900, 6490), ("Grill brush", 890, 600))),
    Category("Kitchen", "KIT", 1, 1.3, (.9, .8, .8, .9, .9, .9, .8, .8, .9, 1.0, 1.4, 1.9), (
        ("Stoneware mug", 890, 430), ("Tea towel", 690, 340), ("Chopping board, oak", 2490, 1320),
        ("Paring knife", 1490, 790), ("Salad bowl", 2290, 1180), ("Storage jar 1 l", 790, 390),
        ("Enamel pan 24 cm", 3990, 2230), ("Pepper mill", 2690, 1420), ("Cake tin", 1690, 890))),
    Category("Candles", "CAN", 2, .9, (.8, .8, .6, .5, .4, .4, .4, .5, .9, 1.4, 2.2, 3.0), (
        ("Pillar candle", 590, 230), ("Scented candle, cedar", 1890, 760), ("Tea lights, 50", 690, 310),
        ("Dinner candles, 8", 990, 420), ("Glass lantern", 2490, 1090), ("Candle holder, brass", 1590, 670))),
    Category("Textiles", "TEX", 1, .9, (1.3, 1.1, .9, .8, .7, .6, .6, .7, 1.1, 1.4, 1.5, 1.7), (
        ("Cushion cover", 1490, 790), ("Wool blanket", 5900, 3340), ("Bath towel", 1690, 930),
        ("Table runner", 1990, 1080), ("Door mat", 2290, 1340), ("Slippers", 1890, 1060))),
    Category("Toys", "TOY", 1, .8, (.6, .6, .7, .9, .8, .8, .8, .8, .8, 1.0, 1.9, 3.4), (
        ("Wooden train", 1990, 1280), ("Card game", 990, 620), ("Puzzle, 500 pieces", 1490, 960),
        ("Plush rabbit", 1690, 1080), ("Kite", 1290, 850), ("Crayons, 24", 590, 370), ("Building blocks", 2990, 1990))),
    Category("Coffee & Tea", "COF", 3, 1.5, (1.1, 1.1, 1.0, 1.0, .9, .8, .8, .8, 1.0, 1.1, 1.3, 1.5), (
        ("Ground coffee 500 g", 890, 660), ("Coffee beans 1 kg", 1790, 1330), ("Coffee filters", 290, 200),
        ("Earl Grey 100 g", 590, 420), ("Herbal tea", 450, 320), ("Shortbread", 390, 290), ("Dark chocolate", 340, 250))),
)

PRODUCTS = [
    Product(index, name, f"{category.code}-{place + 1:02}", number, price, cost, category.share / (place + 1) ** 0.55)
    for index, (number, category, place, (name, price, cost)) in enumerate(
        (number, category, place, goods)
        for number, category in enumerate(CATEGORIES) for place, goods in enumerate(category.goods))
]

#: By the hour from the first on: how the customers of an open day come in.
BRANCHES = (
    Branch(
        "Old Town", "OLD", 23, (.75, .75, .85, .95, 1.2, 1.75, .95),
        {"week": (10, (3, 5, 6, 5, 5, 7, 8, 7, 4)), "sunday": (11, (4, 6, 8, 9, 9, 7, 4))}, .5,
        {"Candles": 1.4, "Kitchen": 1.2, "Barbecue": .6},
        (Cashier("Amelie Fontaine", .15, 0), Cashier("Tom O'Brien", .3, -.4), Cashier("Yusuf Kaya", .2, 0))),
    Branch(
        "Station", "STA", 18, (1.15, 1.1, 1.1, 1.15, 1.3, .75, .45),
        {"week": (7, (8, 9, 4, 3, 3, 5, 5, 3, 3, 5, 9, 9, 4)), "sunday": (9, (3, 5, 6, 6, 5, 4, 3))}, .3,
        {"Coffee & Tea": 2.4, "Toys": 1.2, "Garden": .35, "Barbecue": .15, "Textiles": .6},
        (Cashier("Nora Lindqvist", .2, 0), Cashier("Chen Wei", .12, 0), Cashier("Pavel Novák", .55, -.8))),
    Branch(
        "Riverside", "RIV", 14, (.8, .8, .9, 1.0, 1.2, 2.0, 0),
        {"week": (9, (4, 6, 7, 5, 4, 5, 6, 7, 6, 3))}, .42,
        {"Garden": 1.9, "Barbecue": 1.9, "Toys": 1.1, "Coffee & Tea": .5, "Candles": .8},
        (Cashier("Ingrid Solberg", .15, .2), Cashier("Marek Dvořák", .25, 0))),
)

#: When all are closed, by month and day.
HOLIDAYS = {(12, 25), (12, 26), (1, 1)}

#: Prices and costs of a category, so many days ago.
Change = namedtuple("Change", "days category price cost")
CHANGES = (
    Change(150, "Coffee & Tea", 1.12, 1.10),
    Change(75, "Candles", 1.0, 1.09),
)

#: What the vendor could not send, from so many days ago until then.
Shortage = namedtuple("Shortage", "name since until")
SHORTAGES = (
    Shortage("Lavender in a pot", 215, 180),
    Shortage("Charcoal 5 kg", 160, 125),
    Shortage("Ground coffee 500 g", 22, 0),
    Shortage("Scented candle, cedar", 26, 0),
    Shortage("Stoneware mug", 24, 0),
    Shortage("Wool blanket", 28, 0),
    Shortage("Wooden train", 27, 0),
)

#: What is often bought beside another.
BESIDE = {
    "Charcoal 5 kg": ("Firelighters", .4), "Ground coffee 500 g": ("Coffee filters", .3),
    "Glass lantern": ("Tea lights, 50", .45), "Terracotta pot 20 cm": ("Potting soil 20 l", .35),
    "Salad bowl": ("Pepper mill", .12),
}

#: Percent off in the first weeks of January.
SALE = {"Candles": 20, "Textiles": 30, "Toys": 25}


def is_sale(day):
    return day.month == 1 and day.day <= 21


def is_black_friday(day):
    """The day after the fourth Thursday of November."""
    return day.month == 11 and day.weekday() == 4 and 23 <= day.day <= 29


def changed(product, day, today):
    """Price and cost of a product on a day, in cents."""
    price, cost = product.price, product.cost
    for change in CHANGES:
        if change.category == CATEGORIES[product.category].name and (today - day).days <= change.days:
            # Prices end in 0 or 5.
            price = price if change.price == 1 else round(price * change.price / 5) * 5
            cost = round(cost * change.cost)
    return price, cost


def todays(product):
    """Price and cost of today, in cents."""
    return changed(product, date.max, date.max)


def is_short(product, day, today):
    ago = (today - day).days
    return any(short.name == product.name and short.until <= ago <= short.since for short in SHORTAGES)
