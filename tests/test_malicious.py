"""An Odoo that wants more than its rows gets nothing but its rows."""

import psycopg2
import pytest

from .conftest import TABLES, url
from .fake.server import behaviour_of

ATTACK = """'); DROP TABLE dim_products; --"; SELECT pg_sleep(60); $$ \\'); {1,"2",NULL} %s $1 ]]></value>&amp;"""

#: As dictionaries: what fields_get says of a field, beside its type.
EVIL_FIELD = {"string": ATTACK, "help": ATTACK, "selection": [[ATTACK, ATTACK]]}


def evil(db, rows=None):
    """The fake's data, every text of which is an attack; its labels too."""
    prefix = f"/version=19/only={db.name}"
    database = behaviour_of(prefix).database
    for model in database.models.values():
        for name, field in model.fields.items():
            field.update(EVIL_FIELD)
            if field["type"] in ("char", "text", "html", "selection") and model.name != "ir.config_parameter":
                for record in model.records.values():
                    # Not what Odoo's own logic hangs on.
                    if isinstance(record.get(name), str) and name not in ("state", "usage", "tz", "type", "lang"):
                        record[name] = f"{ATTACK} {record['id']}"
    return prefix.strip("/"), database


def test_texts_and_labels_stay_texts(db, fake):
    behaviour, database = evil(db)
    db.server(url(fake, behaviour))
    for statement in ("SELECT * FROM odoo_sync_all()", "CALL odoo_sync_job('all', full_refresh => true)",
                      "SELECT * FROM odoo_reconcile('customers')", "SELECT * FROM odoo_check()"):
        db.run(statement)
    names = dict(db.run("SELECT id, name FROM dim_customers"))
    partners = database.models["res.partner"].records
    assert len(names) > 3 and names == {id: partners[id]["name"] for id in names}
    assert all(ATTACK in name for name in names.values())
    assert db.value("SELECT count(*) FROM odoo_sync_status WHERE state IN ('idle', 'absent')") == TABLES


def test_names_of_fields_stay_names(db, fake):
    behaviour, database = evil(db)
    partners = database.models["res.partner"]
    partners.fields[ATTACK] = {"type": "char", **EVIL_FIELD}
    for record in partners.records.values():
        record[ATTACK] = ATTACK
    db.server(url(fake, behaviour))
    data, = db.run("SELECT data FROM odoo_read('res.partner', max_rows => 1)")[0]
    assert data[ATTACK] == ATTACK
    with pytest.raises(psycopg2.Error, match="no field"):
        db.run("SELECT * FROM odoo_read('res.partner', fields => ARRAY[%s])", ATTACK + "x")
    assert db.report("SELECT * FROM odoo_sync('customers')")["dim_customers"]["inserted"] > 3


@pytest.mark.parametrize("number", [1e300, -1e300, 2**31, -(2**31)])
def test_huge_numbers_are_loaded_or_quarantined(db, fake, number):
    behaviour, database = evil(db)
    product = database.models["product.product"]
    template = database.models["product.template"].records[40]
    template["list_price"] = float(number)
    db.server(url(fake, behaviour))
    report = db.report("SELECT * FROM odoo_sync('products')")["dim_products"]
    assert report["inserted"] == len(product.records)


@pytest.mark.parametrize("body", ["bomb", "deep", "number", "huge"])
def test_bodies_that_are_attacks(db, fake, body):
    """In XML. If no record can be read they are no record's trouble: they end the run."""
    for method in ("fields_get", "search", "read"):
        db.server(url(fake, f"version=19/body={body}@{method}"), name=method, protocol="xmlrpc")
        with pytest.raises(psycopg2.errors.ConnectionFailure, match="not valid XML-RPC"):
            db.run("SELECT * FROM odoo_sync('products', %s)", method)
    assert db.value("SELECT count(*) FROM odoo_quarantine") == 0
