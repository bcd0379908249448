"""The rooms of src/: arrows in one direction, no circle of files, files and folders of a size that a
reader can hold. Read off the `use` declarations."""

import re
from pathlib import Path

import pytest


SRC = Path(__file__).parents[1] / "src"
SQL = SRC.parent / "sql"

TREE = re.compile(r"^\s*(?:pub(?:\([^)]*\))? )?use ((?:crate|super|self)[^;]*);", re.M)
INLINE = re.compile(r"\b((?:crate|super)(?:::\w+)+)")


def flat(tree):
    """`a::{b, c::{self, d}}` as the paths that it names."""
    tree = re.sub(r"\s+", "", tree)
    if "{" not in tree:
        return [tree.removesuffix("::self")]
    head, _, rest = tree.partition("{")
    parts, depth, part = [], 0, ""
    for character in rest[: rest.rindex("}")]:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    return [path.removesuffix("::self") for piece in [*parts, part] if piece for path in flat(head + piece)]


def module_of(file):
    parts = list(file.relative_to(SRC).with_suffix("").parts)
    return tuple(parts[:-1] if parts[-1] in ("mod", "lib") else parts)


#: Comments and characters, which may have quotes in them, and string literals.
TEXT = re.compile(r'''//[^\n]*|'(?:\\.|[^\\'\n])'|r(#*)"(.*?)"\1|"((?:\\.|[^"\\])*)"''', re.S)

#: What stands before a table's name in a statement, in capitals as all of ours: prose has no FROM.
BEFORE_NAME = r"\b(?:(?:FROM|INTO|UPDATE|JOIN|USING|TABLE|ONLY)\s+|nextval\(\s*')"


def texts(source):
    """The string literals of a Rust file."""
    found = (match[2] or match[3] for match in TEXT.finditer(source))
    return [re.sub(r"\\\s*\n\s*", "", text) for text in found if text]


def own_tables():
    """The names of the extension's own tables and sequences."""
    scripts = "\n".join(file.read_text() for file in SQL.glob("*.sql") if "--" not in file.name)
    return set(re.findall(r"CREATE (?:TABLE|SEQUENCE) odoo_etl\.(\w+)", scripts))


def statements_on(tables, source):
    """The texts of a Rust file that are statements on some tables, or that name one with its schema."""
    names = "|".join(sorted(tables, key=len, reverse=True))
    statement = re.compile(rf'{BEFORE_NAME}(?:"?odoo_etl"?\.)?"?(?:odoo_sync_)?(?:{names})\b')
    named = re.compile(rf'"?odoo_etl"?\."?(?:{names})\b')
    return [text for text in texts(source) if statement.search(text) or named.search(text)]


def without_tests(text):
    return text.partition("#[cfg(test)]")[0]


class House:
    def __init__(self):
        self.files = {module_of(file): file for file in sorted(SRC.rglob("*.rs")) if file.stem != "tests"}
        self.exports = {}
        for module, file in self.files.items():
            if file.stem in ("mod", "lib"):
                for path in self.paths(module, r"^pub(?:\(crate\))? use ((?:crate|super|self|\w+)[^;]*);"):
                    self.exports[module + path[-1:]] = path

    def paths(self, module, pattern=None):
        """Absolute paths that a file names, as tuples."""
        text = without_tests(self.files[module].read_text())
        text = re.sub(r"//.*", "", text)
        children = re.findall(r"^(?:pub(?:\([^)]*\))? )?mod (\w+);", text, re.M)
        if children and not pattern:
            text = re.sub(rf"\buse ({'|'.join(children)})\b", r"use self::\1", text)
        if self.files[module].stem in ("mod", "lib") and not pattern:
            # What is passed on is no use.
            text = re.sub(r"^pub(\([^)]*\))? use [^;]*;", "", text, flags=re.M)
        trees = re.findall(pattern, text, re.M) if pattern else [*TREE.findall(text), *INLINE.findall(text)]
        for tree in trees:
            for path in flat(re.sub(r" as \w+", "", tree)):
                yield self.absolute(module, path.split("::"))

    def absolute(self, module, path):
        is_folder = self.files[module].stem in ("mod", "lib")
        if path[0] == "crate":
            return tuple(path[1:])
        if path[0] == "self":
            path = path[1:]
        here = list(module)
        while path and path[0] == "super":
            here, path = here[:-1], path[1:]
            is_folder = True
        return tuple(here) + tuple(path)

    def owner(self, path):
        """The file in which what a path names is written."""
        for _ in range(9):
            known = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in self.exports), None)
            if known is None or path[: len(known)] in self.files:
                break
            path = self.exports[known] + path[len(known):]
        return next((path[:n] for n in range(len(path), -1, -1) if path[:n] in self.files), ())

    def arrows(self):
        """From each file to those that it uses; a `mod.rs` that only passes on is passed through."""
        arrows = {}
        for module in self.files:
            used = {self.owner(path) for path in self.paths(module)}
            arrows[module] = used - {module}
        return arrows


def circles(arrows):
    """The strongly connected components of more than one file."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in arrows.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            part = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(part) > 1:
                found.append(sorted("/".join(module) or "lib" for module in part))

    for node in arrows:
        if node not in index:
            visit(node)
    return found


#: Arrows between rooms. The callbacks of foreign tables in pg/fdw call a trait, which fdw implements.
ROOMS = {
    "functions": {"dashboard", "fdw", "sync", "extract", "server", "state", "warehouse", "odoo", "pg"},
    "dashboard": {"server", "state", "pg"},
    "fdw": {"extract", "server", "odoo", "pg"},
    "sync": {"extract", "server", "state", "warehouse", "odoo", "pg"},
    "extract": {"server", "odoo"},
    "server": {"state", "odoo", "pg"},
    "state": {"warehouse", "pg"},
    "warehouse": set(),
    "odoo": set(),
    "pg": set(),
}

#: What stands beside the rooms.
BESIDE = {"failure": {"pg"}, "query": {"failure"}, "quote": set(), "settings": set()}

#: The same inside src/sync.
SYNC = {
    "run": {"feed", "work", "schedule", "mirror", "tables", "load", "mapping"},
    "feed": {"work", "load", "mapping", "transform"},
    "live": {"load", "mapping", "transform"},
    "work": {"mirror", "tables", "load", "transform", "mapping"},
    "mirror": {"tables", "load", "mapping"},
    "tables": {"load"},
    "load": {"transform"},
    "transform": {"mapping"},
    "schedule": set(),
    "mapping": set(),
}

#: Folders with a file per entity, and per group of functions.
PER_THING = {"warehouse", "functions"}


@pytest.fixture(scope="module")
def arrows():
    return House().arrows()


def between(arrows, depth):
    """The arrows between the folders at a depth."""
    return {(one[depth], other[depth]) for one, others in arrows.items() for other in others
            if len(one) > depth and len(other) > depth and one[:depth] == other[:depth] and one[depth] != other[depth]}


def test_the_script_sees_arrows(arrows):
    assert ("sync", "feed", "window") in arrows[("sync", "feed", "table_load")]
    assert ("odoo", "domain", "tree") in arrows[("odoo", "client", "model")]
    assert circles({("a",): {("b",)}, ("b",): {("a",)}}) == [["a", "b"]]


def test_no_circle_of_files(arrows):
    assert circles(arrows) == []


def test_arrows_between_rooms_point_one_way(arrows):
    allowed = {(one, other) for one, others in ROOMS.items() for other in others | set(BESIDE)}
    allowed |= {(one, other) for one, others in BESIDE.items() for other in others}
    assert between(arrows, 0) - allowed == set()


def test_arrows_inside_the_sync_point_one_way(arrows):
    inside = {one: others for one, others in arrows.items() if one[:1] == ("sync",)}
    allowed = {(one, other) for one, others in SYNC.items() for other in others}
    assert between(inside, 1) - allowed == set()


def test_statements_on_own_tables_are_seen():
    tables = own_tables()
    assert {"servers", "state", "run", "runs", "watermarks", "mirrors", "cache", "relations"} <= tables
    for seen in ['"DELETE FROM runs"', '"UPDATE odoo_etl.state AS s"', 'r#"x JOIN "odoo_etl"."cache""#', '"x \\\n INTO stops"',
                 '"FROM odoo_sync_state"', '"SELECT odoo_etl.runs"', "\"SELECT nextval('run')\"", '"TABLE mirrors"']:
        assert statements_on(tables, f"let x = '\"'; let sql = {seen};"), seen
    for unseen in ['"FROM {table}"', '"a table of runs"', '"FROM pg_stats"', '"FROM cron.job"', '"FROM statement"', "// FROM runs"]:
        assert not statements_on(tables, f"let sql = {unseen};"), unseen


def test_no_statement_on_an_own_table_stands_outside_state():
    tables = own_tables()
    outside = [file for file in SRC.rglob("*.rs") if SRC / "state" not in file.parents]
    found = {str(file.relative_to(SRC)): statements_on(tables, file.read_text()) for file in outside}
    assert {file: texts for file, texts in found.items() if texts} == {}
    # Names that are put into statements, and what runs these, are no other room's to call.
    store = (SRC / "state" / "store.rs").read_text()
    for method in ["has", "table", "write", "change", "delete", "read", "ask", "is_true"]:
        assert re.search(rf"pub\(super\) fn {method}\b", store), method
    assert re.findall(r"^    pub fn (\w+)", store, re.M) == ["find", "function", "schema", "owns", "parameter"]
    assert not re.search(r"^pub mod", (SRC / "state" / "mod.rs").read_text(), re.M)


def test_files_and_folders_can_be_held_in_mind():
    for folder in [SRC, *(path for path in SRC.rglob("*") if path.is_dir())]:
        lines = {file.name: len(file.read_text().splitlines()) for file in folder.glob("*.rs")}
        assert all(count <= 400 for count in lines.values()), lines
        if folder.name not in PER_THING:
            # Beside the map.
            assert len(lines.keys() - {"mod.rs"}) <= 12, folder
            assert sum(lines.values()) <= 2000, folder


def test_the_map_names_every_room():
    text = (SRC / "lib.rs").read_text()
    modules = set(re.findall(r"^(?:pub )?mod (\w+);", text, re.M))
    named = set(re.findall(r"`(\w+)`", text.partition("#![deny")[0]))
    assert modules == named == set(ROOMS) | set(BESIDE)


def test_each_folder_begins_with_what_comes_in_and_goes_out():
    for file in SRC.rglob("mod.rs"):
        text = file.read_text().partition("\n\n")[0].lower()
        text = re.sub(r"\s*//!\s*", " ", text)
        assert re.search(r"\bin[:,]", text) and re.search(r"\bout[:,]", text) and "may call" in text, file
