"""The rooms of src/: arrows in one direction, no circle of files, files and folders of a size that a
reader can hold. Read off the `use` declarations."""

import re
from pathlib import Path


SRC = Path(__file__).parents[1] / "src"

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
if __name__ == "__main__":
    house = House()
    arrows = house.arrows()
    for c in circles(arrows): print("circle", c)
    rooms = {}
    for a, bs in arrows.items():
        for b in bs:
            if a and b and a[0] != b[0]:
                rooms.setdefault((a[0], b[0]), []).append("/".join(a)+"→"+"/".join(b))
    for k, v in sorted(rooms.items()): print(k, len(v), v[:4])
