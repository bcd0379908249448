"""The documents: links lead somewhere, every page is in the index, the README is short, and what they name is there."""

import re

import pytest

from .lab import places

DOCS = places.CHECKOUT / "docs"
PAGES = [*sorted(places.CHECKOUT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]

#: Neither code nor what is indented has links.
CODE = re.compile(r"^```.*?^```$|^(?: {4}|\t).*?$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)


def name_of(page):
    return str(page.relative_to(places.CHECKOUT))


def prose(text):
    return CODE.sub("", text)


def links(page):
    return [link for link in LINK.findall(prose(page.read_text())) if not re.match(r"[a-z]+:", link)]


def anchors(page):
    """Those of the headings, as GitHub makes them; a heading that comes again is numbered."""
    found = []
    for heading in HEADING.findall(re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        again = found.count(anchor)
        found.append(f"{anchor}-{again}" if again else anchor)
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            broken.append(link)
        elif anchor and anchor not in anchors(target):
            broken.append(link)
    assert broken == []


def test_anchors_are_made_as_github_makes_them(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# What odoo_check() says\n## Odoo's `workers`\n```sql\n# no heading\n```\n## [A](b.md) & *b*\n## Odoo's workers\n")
    assert anchors(page) == ["what-odoo_check-says", "odoos-workers", "a--b", "odoos-workers-1"]


def test_every_page_is_in_the_index():
    index = DOCS / "README.md"
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in links(index)}
    assert [name_of(page) for page in PAGES if page.is_relative_to(DOCS) and page != index and page not in listed] == []


def test_the_readme_is_short():
    assert len((places.CHECKOUT / "README.md").read_text().split()) <= 900


def test_tests_that_are_named_are_there():
    """The guarantees name those that show them."""
    for page in PAGES:
        for path in re.findall(r"`(tests/[\w/]+(?:\.py)?)`", page.read_text()):
            assert (places.CHECKOUT / path).exists(), f"{name_of(page)}: {path}"


def test_every_finding_of_odoo_check_is_explained():
    """Each heading of that part begins with the item that the finding has."""
    text = (DOCS / "troubleshooting.md").read_text()
    part = re.search(r"^## What odoo_check\(\) says\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)[1]
    sections = re.split(r"^#### .*\n\n", part, flags=re.MULTILINE)[1:]
    assert len(sections) > 15
    assert [section for section in sections if not re.match(r"(Items?|The item) ", section)] == []


def test_no_output_is_left_to_be_filled_in():
    assert [name_of(page) for page in PAGES if re.search(r"^@@|%%", page.read_text(), re.MULTILINE)] == []


def test_odoo_check_names_sections_that_are_there():
    named = set(re.findall(r'explained\("([^"]+)"\)', (places.CHECKOUT / "src/functions/check.rs").read_text()))
    assert len(named) > 5 and named <= set(anchors(DOCS / "troubleshooting.md"))
