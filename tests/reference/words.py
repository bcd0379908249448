"""Comments of columns in words for readers, each field with the releases that have it."""

import re
from itertools import groupby

from ..test_versions import RELEASES
from .warehouse import OF_OTHERS

#: What may follow the paths in a comment of a field.
REST = re.compile(r"; refers to \w+|; false for archived records|, or the server option timezone|, or the Odoo user's|, as .*", re.S)

#: The comment of a part of a time begins so.
CLOCK = re.compile("(day|hour) of ")

#: Names with an underscore, with or without their table: no word of English has one.
NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+(?:\.\w+)?\b")


def code(text):
    return f"`{text}`"


def row(*cells):
    """A line of a table in Markdown."""
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def named(text):
    """A text with the names in it as code."""
    return NAME.sub(lambda name: code(name[0]), text)


def meaning(warehouse, table, column, with_model=False):
    """What a column holds, in Markdown."""
    about = column.about or ""
    if about.startswith("Odoo: "):
        return field(about, unseen(warehouse, table, column, with_model) + paths(warehouse, table, column, with_model))
    if made := re.match(r"(generated|as of the last run): (.*)", about, re.S):
        return f"{made[1]}: {code(made[2])}"
    if part := re.match(r"(\w+) of (the row that \w+ refers to|\w+_\w+)", about):
        return f"{code(part[1])} of {named(part[2])}{about[part.end():]}"
    if CLOCK.match(about):
        return paths(warehouse, table, column, with_model)
    return named(about)


def field(about, paths):
    """What comes from a field of Odoo."""
    found = REST.search(about)
    rest = found[0] if found else ""
    if "archived" in rest:
        always = "" if "(" not in paths else ", else true"
        return f"{paths}{always}{rest}" if paths else "true, as Odoo archives no such records"
    if rest.startswith(", as "):
        return paths + corrected(rest.removeprefix(", as "))
    return paths + ("" if "refers" in rest else rest.replace("timezone", code("timezone")))


def corrected(text):
    """The expression that puts a value right, and what the names in it are."""
    expression, *names = text.split("; ")
    ingredients = []
    for name, spellings in (part.split(" is ") for part in names):
        ingredients.append(f"{code(name)} is {' or '.join(map(code, spellings.split(' or ')))}")
    return f". Corrected: {code(expression)}" + (", where " + ", ".join(ingredients) if ingredients else "")


def paths(warehouse, table, column, with_model):
    """The paths of a column by channel."""
    channels = warehouse.channels(table)
    texts = {channel: by_release(warehouse, table, column, channel, with_model) for channel in channels}
    texts = {channel: text for channel, text in texts.items() if text}
    if len(texts) == len(channels) and len(set(texts.values())) == 1:
        return texts[channels[0]]
    return "; ".join(f"{channel}: {text}" for channel, text in texts.items())


def unseen(warehouse, table, column, with_model):
    """A value that counts before others, where a module that none of the releases comes with has a field for it."""
    found = {path: model for (_, name, _, other), (model, path) in warehouse.lineage.items()
             if path and (name, other) == (table.name, column.name)}
    for model in set(found.values()):
        first = re.match(rf"Odoo: {re.escape(model)}\.([\w.]+), else ", column.about)
        if first and not any(first[1] in path.split(", ") for path in found):
            return f"{code((f'{model}.' if with_model else '') + first[1])} where a module adds it, else "
    return ""


def by_release(warehouse, table, column, channel, with_model):
    """The paths of a channel, newest first."""
    found = {}
    for release in reversed(warehouse.releases(table.name, channel)):
        model, path = warehouse.path(release, table.name, channel, column.name)
        found[release] = path and spelled(path, column.about, f"{model}." if with_model else "")
    if {table.name, f"{table.name}.{column.name}"} & OF_OTHERS:
        found = {release: text for release, text in found.items() if text}
    groups = [(text, [*releases]) for text, releases in groupby(found, key=found.get)]
    return "; ".join(text + when(releases, [*found]) for text, releases in groups if text)


def spelled(path, about, model):
    """The values of a path, each as the comment spells it: with what is asked of it."""
    values = [model + value + asked(value, about) for value in path.split(", ")]
    coded = [" if ".join(map(code, value.split(" if "))) for value in values]
    if clock := CLOCK.match(about):
        return f"{clock[0]}{coded[0]} in the time zone {', else '.join(coded[1:])}"
    return ", else ".join(coded)


def asked(path, about):
    found = re.search(rf"(?<!\w){re.escape(path)}(=\w+|>0| if \w+)", about)
    return found[1] if found else ""


def when(group, among):
    """Which releases these are, newest first, of those that come into question."""
    newest, oldest = group[0], group[-1]
    if len(group) == len(among):
        return ""
    if newest == oldest and newest != RELEASES[-1]:
        return f" ({newest})"
    if newest == RELEASES[-1]:
        return f" (from {oldest} on)"
    return f" (until {newest})" if oldest == among[-1] else f" ({oldest} to {newest})"
