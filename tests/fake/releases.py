"""Odoo 14 to 20: the fields that each release has, by `versions.json`, with a shop's records."""

import json
from pathlib import Path

from .orm import Database, Model
from .shop import shop

#: Model to field to what it is; a list of those where releases differ. `in` names the releases,
#: without it the field is in all.
FIELDS = json.loads(Path(__file__).with_name("versions.json").read_text())

#: Models that have the fields of others too, and the fields that lead there.
INHERITS = {
    "product.product": {"product.template": "product_tmpl_id"},
    "res.users": {"res.partner": "partner_id"},
    "coupon.program": {"coupon.rule": "rule_id", "coupon.reward": "reward_id"},
}

#: A release as Odoo Online numbers those between the yearly ones.
ONLINE = {18: 2}


def version(release):
    """What `common.version()` returns."""
    minor = ONLINE.get(release, 0)
    prefix = "saas~" if release in ONLINE else ""
    text = f"{prefix}{release}.{minor}"
    return {
        "server_version": text,
        "server_version_info": [f"{prefix}{release}" if prefix else release, minor, 0, "final", 0, ""],
        "server_serie": text,
        "protocol_version": 1,
    }


def database(release):
    records = shop(release)
    models = []
    for name in FIELDS:
        fields = fields_of(name, release)
        if fields:
            own = [in_release(name, fields, record) for record in records.get(name, [])]
            models.append(Model(name, fields, own, INHERITS.get(name, {})))
    return Database(models)


def fields_of(model, release):
    """The model's own fields; none if the release has no such model."""
    found = {}
    for name, variants in FIELDS[model].items():
        for variant in variants if isinstance(variants, list) else [variants]:
            if release in variant.get("in", [release]):
                found[name] = {key: value for key, value in variant.items() if key != "in"}
                if variant.get("company_dependent") and release < 18:
                    # They lie in ir.property.
                    found[name]["store"] = False
    return {**found, "create_date": {"type": "datetime"}} if found else {}


def in_release(model, fields, record):
    unknown = record.keys() - FIELDS[model].keys() - {"id"}
    # uom(…) spells its field in all ways at once.
    if unknown - {"uom_id", "product_uom_id", "product_uom"}:
        raise ValueError(f"{model}: no release has {', '.join(sorted(unknown))}")
    return {name: value for name, value in record.items() if name == "id" or name in fields}
