"""The models and records that the fake has."""

from collections.abc import Mapping

from .orm import Attachments, Database, Model


def field(type_name, relation=None):
    return {"type": type_name, **({"relation": relation} if relation else {})}


def many2one(relation):
    return field("many2one", relation)


CATEGORY = {
    "name": field("char"),
    "complete_name": field("char"),
    "parent_id": many2one("product.category"),
}

PRODUCT = {
    "active": field("boolean"),
    "name": field("char"),
    "product_tmpl_id": many2one("product.template"),
    "default_code": field("char"),
    "barcode": field("char"),
    "categ_id": many2one("product.category"),
    "type": field("selection"),
    "is_storable": field("boolean"),
    "list_price": field("float"),
    "standard_price": field("float"),
    "uom_id": many2one("uom.uom"),
    "weight": field("float"),
    "volume": field("float"),
    "sale_ok": field("boolean"),
    "purchase_ok": field("boolean"),
    "available_in_pos": field("boolean"),
    "pos_categ_ids": field("many2many", "pos.category"),
    "tracking": field("selection"),
    "image_1920": field("binary"),
}

USER = {
    "login": field("char"),
    "company_id": many2one("res.company"),
    "company_ids": field("many2many", "res.company"),
}


def product(id):
    """A product whose values follow from its id."""
    return {
        "id": id,
        "active": id % 10 != 0,
        "name": f"Product {id}",
        "product_tmpl_id": id,
        "default_code": f"P{id:05}",
        "barcode": f"{4000000000000 + id}",
        "categ_id": 1 + id % 3,
        "type": "consu",
        "is_storable": id % 2 == 0,
        "list_price": id + 0.99,
        "standard_price": id / 2,
        "uom_id": 1 + id % 2,
        "sale_ok": True,
        "pos_categ_ids": [1, 2] if id % 3 == 0 else [],
        "tracking": "none",
    }


class Series(Mapping):
    """Records 1 to `count`, each made anew when it is asked for."""

    def __init__(self, make, count):
        self.make, self.ids = make, range(1, count + 1)

    def __len__(self):
        return len(self.ids)

    def __iter__(self):
        return iter(self.ids)

    def __contains__(self, id):
        return id in self.ids

    def __getitem__(self, id):
        if id not in self.ids:
            raise KeyError(id)
        return self.make(id)


#: So many records fit into memory, where a test may change them.
KEPT = 10_000


def series(make, count):
    records = Series(make, count)
    return dict(records) if count <= KEPT else records


def database(rows=12):
    return Database(
        [
            Model(
                "product.category",
                CATEGORY,
                [
                    {"id": 1, "name": "All", "complete_name": "All"},
                    {"id": 2, "name": "Food", "complete_name": "All / Food", "parent_id": 1},
                    # A parent with a higher id than its child.
                    {"id": 3, "name": "Tea", "complete_name": "All / Drinks / Tea", "parent_id": 4},
                    {"id": 4, "name": "Drinks", "complete_name": "All / Drinks", "parent_id": 1},
                ],
            ),
            Model("product.product", PRODUCT, series(product, rows)),
            Model("product.template", {}, series(lambda id: {"id": id}, rows)),
            Model(
                "uom.uom",
                {"name": field("char")},
                [{"id": 1, "name": "Units"}, {"id": 2, "name": "kg"}],
            ),
            Attachments(
                "ir.attachment",
                {"name": field("char"), "res_field": field("char")},
                [{"id": 1, "name": "a"}, {"id": 2, "name": "b", "res_field": "image_1920"}, {"id": 3, "name": "c"}],
            ),
            # Clients read their user at login.
            Model("res.users", USER, [{"id": 2, "login": "admin", "company_id": 1, "company_ids": [1]}]),
        ]
    )


def make_strange(database):
    """Values that Odoo does send, and that are easy to get wrong."""
    products = database.models["product.product"].records
    products[1]["name"] = "bell\x07 nul\x00 tab\t"
    products[2]["name"] = "\ufffe \U0001f375"
    products[1]["list_price"] = float("nan")
    products[2]["list_price"] = float("inf")
    products[3]["list_price"] = 1e-05
    products[4]["list_price"] = 123456789.12345679
    # An integer beyond 32 bits comes as a double.
    products[5]["product_tmpl_id"] = 5000000000.0
    products[6]["default_code"] = ""
