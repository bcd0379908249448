"""The statements of the README, as a reader would type them."""

import re

from ..lab import places


def test_the_statements_of_the_readme_run(db, real):
    db.run("DROP EXTENSION odoo_etl")
    text = (places.CHECKOUT / "README.md").read_text()
    blocks = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    statements = [s.strip() for block in blocks for s in block.split(";\n") if s.strip()]
    assert len(statements) >= 6
    for statement in statements:
        db.run(statement.replace("http://127.0.0.1:8069", real.url))
    assert db.value("SELECT count(*) FROM dim_products") > 100
