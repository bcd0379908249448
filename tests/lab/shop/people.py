"""Whom the shop knows: customers by name, some of them companies that buy on account."""

from collections import namedtuple
from random import Random

from .catalogue import BRANCHES

#: When one joined and left are shares of the year.
Customer = namedtuple("Customer", "index name email city is_company branch joined left visits")

FIRST = (
    "Anna Ben Chiara David Elif Femke Goran Hanna Ibrahim Julia Karim Lena Mateusz Nadia Oskar Priya Quentin Rosa Sven "
    "Tereza Umberto Vera Wim Xenia Yannick Zofia Aiko Björn Céline Dmitri").split()
LAST = (
    "Adams|Bakker|Costa|D'Angelo|Eriksson|Fischer|García|Horvat|Ivanov|Janssens|Kowalski|Lambert|Moreau|Nguyen|O'Neill|"
    "Petit|Quinn|Rossi|Schmidt|Tanaka|Ueda|Vermeulen|Weber|Yılmaz|Zielińska|Çelik|Dubois|Haddad").split("|")
COMPANIES = (
    "Café Miró", "Hotel Belvedere", "Kindergarten Sunflower", "Dr. Weiss & Partners", "Riverside Rowing Club",
    "City Library", "Bistro \"Chez Paul\"", "Studio Nine Architects", "St. Martin's School", "Green Roof Ltd")
CITIES = ("Leuven", "Mechelen", "Brussels", "Antwerp", "Ghent")


def known():
    """Those who come from the first day on, and those who joined later; some stay away one day."""
    random = Random(1)
    names = [f"{first} {last}" for first in FIRST for last in LAST]
    found = [(name, True) for name in COMPANIES] + [(name, False) for name in random.sample(names, 400)]
    for index, (name, is_company) in enumerate(found):
        joined = 0 if is_company or random.random() < .3 else random.random()
        left = 2 if is_company or random.random() < .4 else joined + random.expovariate(3)
        visits = 8 if is_company else min(5, random.paretovariate(1.3))
        yield Customer(index, name, f"customer{index + 1}@example.com", random.choice(CITIES), is_company,
                       random.randrange(len(BRANCHES)), joined, left, visits)


CUSTOMERS = tuple(known())


class Regulars:
    """The customers of a branch, to take one of."""

    def __init__(self, branch):
        self.known = [customer for customer in CUSTOMERS if customer.branch == branch]
        self.visits = [customer.visits for customer in self.known]

    def one(self, random, share):
        """Of those who came when that share of the year was over; nobody is sometimes."""
        customer = random.choices(self.known, self.visits)[0]
        return customer if customer.joined <= share <= customer.left else None
