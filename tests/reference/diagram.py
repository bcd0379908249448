"""docs/images/warehouse.svg: the facts in the middle, what they refer to on both sides of them."""

from xml.sax.saxutils import escape

#: The tables of each column; those of the middle from the top on, the others find their place beside what refers to them.
LEFT = ["dim_branches", "dim_customers", "dim_users", "dim_employees", "dim_teams"]
FACTS = ["fact_sessions", "fact_payments", "all_sales", "fact_sales_lines", "fact_loyalty", "fact_invoices", "fact_purchases",
         "fact_stock_moves", "fact_stock", "fact_stock_daily", "fact_currency_rates"]
RIGHT = ["dim_payment_methods", "dim_loyalty_cards", "dim_promotions", "dim_products", "fact_warehouse", "fact_stock_locations",
         "dim_picking_types"]
FAR_LEFT = ["dim_departments", "dim_jobs", "dim_work_locations", "dim_companies", "dim_date"]
FAR_RIGHT = ["dim_categories", "dim_brands", "dim_pos_categories", "dim_taxes", "missing_data", "odoo_deleted"]
COLUMNS = [FAR_LEFT, LEFT, FACTS, RIGHT, FAR_RIGHT]

#: What is joined without a foreign key.
JOINED = {
    "dim_companies": "joined by company_id",
    "dim_date": "joined by business_date",
    "dim_taxes": "joined by tax_ids",
    "dim_pos_categories": "joined by pos_category_ids",
    "fact_stock_daily": "joined by product_id, location_id",
    "missing_data": "references that are NULL",
    "odoo_deleted": "rows of facts that are gone",
}

WIDTHS = [240, 226, 226, 262, 226]
HEAD, ROW, GAP, MARGIN, BETWEEN = 26, 18, 16, 24, 96
TOP = 84

STYLE = """
svg { --ground: #ffffff; --text: #1c2430; --soft: #5b6675; --line: #b9c2cd; --fact: #1f4e79; --dim: #4d5b6a; --box: #f6f8fa;
      --own: #7a6a4a; --on: #ffffff }
.a { --edge: #0b6bcb } .b { --edge: #b35900 } .c { --edge: #1a7f37 } .d { --edge: #9a3aa5 } .e { --edge: #c0264b }
.f { --edge: #0f7d80 } .g { --edge: #7a6400 }
@media (prefers-color-scheme: dark) {
  svg { --ground: #0f141a; --text: #e3e8ee; --soft: #9aa6b4; --line: #3a4552; --fact: #2f6ba3; --dim: #465565; --box: #171d25;
        --own: #6b5c3d }
  .a { --edge: #62aefc } .b { --edge: #f0a055 } .c { --edge: #63c87c } .d { --edge: #d48ade } .e { --edge: #f47f99 }
  .f { --edge: #56c7ca } .g { --edge: #d1b645 }
}
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: var(--text) }
.title { font-size: 20px; font-weight: 600 }
.name { font-weight: 600; fill: var(--on) }
.key { font-weight: 600 }
.soft { fill: var(--soft) }
.end { text-anchor: end }
.ground { fill: var(--ground) }
.box { fill: var(--box); stroke: var(--line) }
.fact { fill: var(--fact) } .dim { fill: var(--dim) } .own { fill: var(--own) }
.edge { fill: none; stroke: var(--edge); stroke-width: 1.5; opacity: .85 }
.tip { fill: var(--edge) }
"""

LEGEND = "A line leads from a reference to its table; where none is drawn, the table is named. Bold: the primary key."


class Box:
    """A table: its head, its key and its references."""

    def __init__(self, table, place):
        self.table, self.place = table, place
        self.x = MARGIN + sum(WIDTHS[:place]) + BETWEEN * place
        self.y = 0
        self.width = WIDTHS[place]
        self.rows = [(", ".join(table.key[at : at + 3]), "key", "") for at in range(0, len(table.key), 3)]
        self.rows += [(one.columns[-1], "", one) for one in references(table)]
        if table.name in JOINED:
            self.rows.append((JOINED[table.name], "soft", ""))
        self.height = HEAD + ROW * len(self.rows) + 6

    @property
    def middle(self):
        return self.y + self.height / 2

    def row_y(self, number):
        return self.y + HEAD + ROW * number + ROW / 2 + 2


def references(table):
    """In the order of its columns."""
    found = {one.columns[-1]: one for one in table.references}
    return [found[column.name] for column in table.columns if column.name in found]


def picture(warehouse):
    boxes = {}
    for place, names in enumerate(COLUMNS):
        boxes.update({name: Box(warehouse.table(name), place) for name in names})
    unplaced = {table.name for table in warehouse.tables} - boxes.keys()
    assert not unplaced, f"tests/reference/diagram.py has no place for {', '.join(sorted(unplaced))}"
    stack(boxes, FACTS)
    for names in (LEFT, RIGHT, FAR_LEFT, FAR_RIGHT):
        settle(boxes, names)
    edges = list(lines(boxes))
    width = MARGIN * 2 + sum(WIDTHS) + BETWEEN * (len(WIDTHS) - 1)
    height = max(box.y + box.height for box in boxes.values()) + MARGIN
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" role="img" aria-labelledby="t d">',
        '<title id="t">The tables of the warehouse</title>',
        f'<desc id="d">{escape(spoken(boxes))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{width}" height="{height:g}"/>',
        text(MARGIN, 40, "The tables of the warehouse", "title"),
        text(MARGIN, 62, LEGEND, "soft"),
        *edges,
        *(drawn(boxes[name], boxes) for names in COLUMNS for name in names),
        "</svg>\n",
    ])


def spoken(boxes):
    """The same for who does not see it."""
    said = []
    for name, box in boxes.items():
        targets = list(dict.fromkeys(one.table for one in references(box.table)))
        said.append(f"{name} refers to {', '.join(targets)}." if targets else f"{name}.")
    return " ".join(said)


def stack(boxes, names):
    y = TOP
    for name in names:
        boxes[name].y = y
        y += boxes[name].height + GAP


def settle(boxes, names):
    """Each beside the middle of what refers to it, in an order and at a distance that lets none cover another."""
    bottom = max(boxes[name].y + boxes[name].height for name in FACTS)
    wanted = {}
    for name in names:
        found = [box.row_y(number) for box in boxes.values() if box.y and neighbours(box, boxes[name])
                 for number, (_, _, one) in enumerate(box.rows) if one and one.table == name]
        wanted[name] = sum(found) / len(found) if found else bottom
    order = sorted(names, key=lambda name: (wanted[name], names.index(name)))
    y = TOP
    for name in order:
        boxes[name].y = max(y, wanted[name] - boxes[name].height / 2)
        y = boxes[name].y + boxes[name].height + GAP
    limit = bottom
    for name in reversed(order):
        boxes[name].y = round(min(boxes[name].y, limit - boxes[name].height))
        limit = boxes[name].y - GAP


def neighbours(one, other):
    return abs(one.place - other.place) == 1


def lines(boxes):
    """The references that are drawn: between neighbouring columns, and between facts."""
    incoming = {}
    for box in boxes.values():
        for number, (_, _, one) in enumerate(box.rows):
            if one and is_drawn(box, boxes[one.table]):
                incoming.setdefault(one.table, []).append((box, number))
    for place, (name, sources) in enumerate(sorted(incoming.items(), key=lambda pair: (boxes[pair[0]].place, boxes[pair[0]].y))):
        target, color = boxes[name], "abcdefg"[place % 7]
        for side in (-1, 0, 1):
            ends = sorted((source.row_y(number), source.x, number, source) for source, number in sources
                          if (source.place > target.place) - (source.place < target.place) == side)
            for turn, (y, _, _, source) in enumerate(ends):
                span = target.height - 16
                end = target.y + 8 + span * (turn + 1) / (len(ends) + 1)
                yield curve(source, y, target, end, side, color)


def is_drawn(box, target):
    return box is not target and (neighbours(box, target) or box.place == target.place == COLUMNS.index(FACTS))


def curve(source, y, target, end, side, color):
    """From the row of a reference to the edge of the table, with a tip there."""
    if side > 0:
        begin, stop, bend, tip = source.x, target.x + target.width, -BETWEEN / 2, 7
    elif side < 0:
        begin, stop, bend, tip = source.x + source.width, target.x, BETWEEN / 2, -7
    else:
        begin, stop, bend, tip = source.x + source.width, target.x + target.width, BETWEEN / 3, 7
    back = stop - bend if side else stop + bend
    path = f"M{begin:g} {y:g}C{begin + bend:g} {y:g} {back:g} {end:.1f} {stop + tip:g} {end:.1f}"
    point = f"M{stop:g} {end:.1f}l{tip:g} -4v8z"
    return f'<g class="{color}"><path class="edge" d="{path}"/><path class="tip" d="{point}"/></g>'


def drawn(box, boxes):
    table, x, y = box.table, box.x, box.y
    kind = "own" if not table.entity and table.name not in ("dim_date", "fact_stock_daily") else \
        "fact" if box.place == COLUMNS.index(FACTS) else "dim"
    parts = [
        f'<rect class="box" x="{x}" y="{y}" width="{box.width}" height="{box.height}" rx="5"/>',
        f'<path class="{kind}" d="M{x} {y + HEAD}v-{HEAD - 5}a5 5 0 0 1 5 -5h{box.width - 10}a5 5 0 0 1 5 5v{HEAD - 5}z"/>',
        text(x + 10, y + 17, table.name, "name"),
    ]
    if table.is_optional:
        parts.append(text(x + box.width - 10, y + 17, "off by default", "name end"))
    for number, (label, style, one) in enumerate(box.rows):
        parts.append(text(x + 10, box.row_y(number) + 4, label, style))
        if one and not is_drawn(box, boxes[one.table]):
            target = "itself" if one.table == table.name else one.table
            parts.append(text(x + box.width - 10, box.row_y(number) + 4, f"→ {target}", "soft end"))
    return "\n".join(parts)


def text(x, y, words, style=""):
    kind = f' class="{style}"' if style else ""
    return f'<text x="{x:g}" y="{y:g}"{kind}>{escape(words)}</text>'
