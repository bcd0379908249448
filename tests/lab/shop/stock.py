"""Transfers, moves and what they leave on the shelves, as Odoo keeps them."""

from collections import defaultdict

from .catalogue import BRANCHES, PRODUCTS, changed
from .copy import money
from .masters import COMPANY


class Stock:
    def __init__(self, copy, masters, year, utc):
        self.copy, self.masters, self.year, self.utc = copy, masters, year, utc
        self.numbers = defaultdict(lambda: 1)
        #: What lies where, by product and location, and when it was moved.
        self.quantities, self.moved_at = defaultdict(int), {}
        self.counted()

    def counted(self):
        """The first inventory."""
        at = self.utc(self.year.store.opened_at)
        for branch, quantities in enumerate(self.year.store.opening):
            for product, quantity in enumerate(quantities):
                if quantity:
                    self.move(None, "Product Quantity Updated", at, product, quantity, self.masters.counting_place,
                              self.masters.shelves[branch], is_inventory=True)

    def sold(self, session, session_id, name):
        """What left the stock when a session was closed, and what came back."""
        pieces = defaultdict(int)
        for order in session.orders:
            for line in order.lines:
                pieces[line.quantity < 0, line.product] += abs(line.quantity)
        shelf, outside = self.masters.shelves[session.branch], self.masters.customers_place
        for is_back, ways in ((False, (shelf, outside)), (True, (outside, shelf))):
            goods = [(product, count) for (back, product), count in sorted(pieces.items()) if back is is_back]
            if goods:
                kind = self.masters.pos_types[session.branch]
                at = self.utc(session.closed_at)
                picking = self.picking(session.branch, "POS", kind, at, at, ways, name, pos_session_id=session_id)
                for product, count in goods:
                    self.move(*picking, at, product, count, *ways, kind=kind)

    def bought(self, purchase, name, lines):
        """What a vendor brought, or is to bring."""
        branch, is_here = purchase.branch, purchase.arrives_at <= self.year.now
        vendor, kind = self.masters.vendors[purchase.vendor], self.masters.in_types[branch]
        ways = self.masters.vendors_place, self.masters.shelves[branch]
        at = self.utc(purchase.arrives_at if is_here else purchase.planned_at)
        ordered = self.utc(purchase.ordered_at)
        picking = self.picking(branch, "IN", kind, ordered, at, ways, name, partner=vendor, is_done=is_here)
        for (product, quantity, price), line in zip(purchase.lines, lines):
            self.move(*picking, at, product, quantity, *ways, kind=kind, partner=vendor, origin=name, line=line, price=price,
                      created=ordered, is_done=is_here)

    def picking(self, branch, code, kind, created, at, ways, origin, partner=None, pos_session_id=None, is_done=True):
        """The id and the name of a transfer."""
        number = self.numbers[kind]
        self.numbers[kind] += 1
        name = f"{BRANCHES[branch].code}/{code}/{number:05}"
        id = self.copy.add(
            "stock_picking", created, at if is_done else created, location_id=ways[0], location_dest_id=ways[1],
            picking_type_id=kind, partner_id=partner, company_id=COMPANY, name=name, origin=origin, move_type="direct",
            state="done" if is_done else "assigned", priority="0", is_locked=True, scheduled_date=at,
            date_done=at if is_done else None, pos_session_id=pos_session_id)
        return id, name

    def move(self, picking, reference, at, product, quantity, source, target, kind=None, partner=None, origin=None, line=None,
             price=None, created=None, is_done=True, is_inventory=False):
        shelves, id, created = self.masters.shelves, self.masters.products[product], created or at
        _, cost = changed(PRODUCTS[product], at.date(), self.year.today)
        is_in, is_out = is_done and target in shelves, is_done and source in shelves
        state, written = ("done", at) if is_done else ("assigned", created)
        same = dict(company_id=COMPANY, product_id=id, location_id=source, location_dest_id=target, picking_id=picking,
                    state=state, picked=is_done, date=at, quantity=quantity)
        move = self.copy.add(
            "stock_move", created, written, **same, sequence=10, product_uom=self.masters.unit, partner_id=partner,
            picking_type_id=kind, packaging_uom_id=self.masters.unit, packaging_uom_qty=quantity, priority="0", origin=origin,
            procure_method="make_to_stock", reference=reference, product_qty=quantity, product_uom_qty=quantity,
            propagate_cancel=True, is_inventory=is_inventory, additional=False, price_unit=money(price) if price else None,
            value=money(quantity * (price or cost)) if is_done else None, to_refund=True, is_in=is_in, is_out=is_out,
            is_dropship=False, purchase_line_id=line)
        self.copy.add("stock_move_line", created, written, **same, move_id=move, product_uom_id=self.masters.unit,
                      quantity_product_uom=quantity)
        if is_done:
            for place, count in ((source, -quantity), (target, quantity)):
                self.quantities[id, place] += count
                self.moved_at[id, place] = max(at, self.moved_at.get((id, place), at))

    def quants(self):
        """What all moves left. Vendors and customers are no company's."""
        since = {
            (self.masters.products[product], self.masters.shelves[branch]): self.utc(shelf.oldest())
            for branch, shelves in enumerate(self.year.store.shelves) for product, shelf in enumerate(shelves)
            if shelf.quantity > 0}
        own = {*self.masters.shelves, self.masters.counting_place}
        for (product, place), quantity in self.quantities.items():
            if quantity:
                at = self.moved_at[product, place]
                self.copy.add(
                    "stock_quant", at, at, product_id=product, company_id=COMPANY if place in own else None, location_id=place,
                    quantity=quantity, reserved_quantity=0, inventory_diff_quantity=0, inventory_quantity_set=False,
                    in_date=since.get((product, place), at))
        for kind, number in self.numbers.items():
            self.copy.say(
                "SELECT setval('ir_sequence_' || lpad(sequence_id::text, 3, '0'), "
                f"{number}, false) FROM stock_picking_type WHERE id = {kind}")
