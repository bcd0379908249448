"""What is said of releases: version, packages, and which PostgreSQL and Odoo are supported."""

import importlib.util
import json
import re
import shutil
import subprocess
import tomllib

import pytest

from .lab import clean, installations, places
from .lab.releases import Release
from .test_versions import RELEASES

spec = importlib.util.spec_from_file_location("check", places.CHECKOUT / "packaging/check.py")
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)

CARGO = tomllib.loads((places.CHECKOUT / "Cargo.toml").read_text())
VERSION = CARGO["package"]["version"]
POSTGRES = [int(feature[2:]) for feature in CARGO["features"] if re.fullmatch(r"pg\d+", feature)]
#: On which the copy of `sources` is released.
DAY = "2027-01-31"
#: And by whom.
MAINTAINER = "someone@example.com"
README = (places.CHECKOUT / "README.md").read_text()


def test_all_that_names_the_version_agrees():
    assert check.problems(places.CHECKOUT) == []


@pytest.fixture
def sources(tmp_path):
    """A copy of what names the version, as it is once it is released."""
    for name in ("Cargo.toml", "Cargo.lock", "CHANGELOG.md", "META.json", "README.md", "odoo_etl.control"):
        shutil.copy(places.CHECKOUT / name, tmp_path)
    shutil.copytree(places.CHECKOUT / "sql", tmp_path / "sql")
    day = check.changelog((tmp_path / "CHANGELOG.md").read_text())[0][1]
    edit(tmp_path / "CHANGELOG.md", f"({day})", f"({DAY})")
    edit(tmp_path / "META.json", "authors@odoo-etl.invalid", MAINTAINER)
    for template in (tmp_path / "sql").glob("upgrade/*.sql"):
        template.rename(tmp_path / f"sql/odoo_etl--{template.name}")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(folder, *command):
    subprocess.run(["git", "-C", folder, "-c", "user.name=test", "-c", "user.email=test@localhost", *command], check=True)


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "test")


def edit(file, old, new):
    text = file.read_text()
    file.write_text(text.replace(old, new, 1))


def test_a_release_that_agrees_is_ready(sources):
    assert check.problems(sources, released=True) == []


@pytest.mark.parametrize("file, old, new, named", [
    ("Cargo.toml", f'version = "{VERSION}"', 'version = "9.0.0"', "CHANGELOG.md does not begin with 9.0.0"),
    ("Cargo.lock", f'name = "odoo_etl"\nversion = "{VERSION}"', 'name = "odoo_etl"\nversion = "9.0.0"', "Cargo.lock has odoo_etl 9.0.0"),
    ("CHANGELOG.md", f"({DAY})", "(unreleased)", f"on which day {VERSION} was released"),
    ("CHANGELOG.md", "## 0.1.0 (2026-11-24)", "## 0.1.5 (2026-11-30)\n\n## 0.1.0 (2026-11-24)", "lead from 0.1.5"),
    ("CHANGELOG.md", "## 0.1.0 ", "## 0.1.1 ", "names 0.1.0, which CHANGELOG.md does not have"),
    ("META.json", f'"version": "{VERSION}"', '"version": "9.0.0"', "META.json: version is 9.0.0"),
    ("META.json", f'"docfile": "README.md",\n      "version": "{VERSION}"', '"version": "9.0.0"', "provides.odoo_etl.version is 9.0.0"),
    ("META.json", MAINTAINER, "someone@example.invalid", "names no maintainer who can be reached"),
    ("META.json", '"15.0.0"', '"14.0.0"', "prereqs is 14.0.0"),
    ("odoo_etl.control", "'@CARGO_VERSION@'", "'0.1.0'", "default_version is 0.1.0"),
    ("odoo_etl.control", "comment = '", "comment = 'it ", "META.json: abstract"),
    ("README.md", f"odoo-etl_{VERSION}", "odoo-etl_9.0.0", "README.md names packages of"),
])
def test_what_does_not_agree_is_named(sources, file, old, new, named):
    assert old in (sources / file).read_text()
    edit(sources / file, old, new)
    commit(sources)
    assert any(named in problem for problem in check.problems(sources, released=True))


def test_what_is_not_committed_is_named(sources):
    edit(sources / "README.md", "#", "##")
    assert check.problems(sources, released=True) == ["not committed:  M README.md"]


MISSING = [f"no committed upgrade scripts lead from 0.1.0 to {VERSION}"]


def test_a_release_needs_its_upgrade_script(sources):
    (sources / f"sql/odoo_etl--0.1.0--{VERSION}.sql").unlink()
    commit(sources)
    assert check.problems(sources, released=True) == MISSING


def test_what_build_rs_makes_of_a_template_is_no_script_of_a_release(sources):
    name = f"0.1.0--{VERSION}.sql"
    (sources / "sql/upgrade").mkdir(exist_ok=True)
    (sources / f"sql/odoo_etl--{name}").rename(sources / f"sql/upgrade/{name}")
    (sources / ".gitignore").write_text(f"/sql/odoo_etl--{name}\n")
    commit(sources)
    assert check.problems(sources) == []
    (sources / f"sql/odoo_etl--{name}").touch()
    assert check.problems(sources, released=True) == MISSING


#: What version 1.0 of PGXN's specification wants of META.json: keys that must be there, and those that may.
REQUIRED = {"name": str, "version": str, "abstract": str, "maintainer": (str, list), "license": (str, list, dict),
            "provides": dict, "meta-spec": dict}
OPTIONAL = {"description": str, "prereqs": dict, "release_status": str, "generated_by": str, "no_index": dict,
            "resources": dict, "tags": list}
VERSION_OF_PGXN = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?"


def test_meta_json_is_as_pgxn_specifies():
    meta = json.loads((places.CHECKOUT / "META.json").read_text())
    assert set(REQUIRED) <= set(meta) <= {*REQUIRED, *OPTIONAL}
    for key, value in meta.items():
        assert isinstance(value, {**REQUIRED, **OPTIONAL}[key]) and value, key
    assert meta["license"] == "postgresql"
    assert re.fullmatch(r"[^\s/\\]{2,}", meta["name"])
    assert re.fullmatch(r".+ <\S+@\S+>", meta["maintainer"])
    assert re.fullmatch(r"1\.0\.\d+", meta["meta-spec"]["version"])
    assert all(isinstance(tag, str) and 0 < len(tag) < 256 for tag in meta["tags"])
    requires = meta["prereqs"]["runtime"]["requires"]
    for version in (meta["version"], *requires.values(), *(it["version"] for it in meta["provides"].values())):
        assert re.fullmatch(VERSION_OF_PGXN, version)
    for name, extension in meta["provides"].items():
        assert set(extension) <= {"file", "version", "abstract", "docfile"}
        assert extension["file"] == f"{name}.control"
        assert (places.CHECKOUT / extension["file"]).exists() and (places.CHECKOUT / extension["docfile"]).exists()


def supported(what):
    """The releases that a row of the README's table has under `what`."""
    row = re.search(rf"^\| {what} \| (.*?) \|", README, re.MULTILINE)[1]
    first, last = map(int, re.fullmatch(r"(\d+) to (\d+)", row).groups())
    return [*range(first, last + 1)]


def test_the_releases_of_the_readme_are_those_that_tests_run():
    assert supported("PostgreSQL") == POSTGRES
    assert POSTGRES == sorted({15, *installations.RELEASES}) == sorted(clean.SUITES)
    assert supported("Odoo") == [*RELEASES]
    real = sorted(release.number for release in Release.__subclasses__())
    assert re.search(r"^\| Odoo \|.*a real (\d+) and a real (\d+)", README, re.MULTILINE).groups() == tuple(map(str, real))


def makefile():
    return (places.CHECKOUT / "Makefile").read_text()


def test_the_workflow_runs_make_alone():
    workflow = (places.CHECKOUT / ".github/workflows/release.yml").read_text()
    commands = re.findall(r"run: (.*)", workflow)
    assert len(commands) > 3
    for command in commands:
        target = re.fullmatch(r"make (\S+)( PG=\$\{\{ matrix\.postgresql \}\})?", command)[1]
        assert re.search(rf"^{target}:", makefile(), re.MULTILINE), command
    assert json.loads(re.search(r"postgresql: (\[.*\])", workflow)[1]) == POSTGRES
    rust = CARGO["package"]["rust-version"]
    assert set(re.findall(r"rust:(\S+)-bookworm", workflow)) == {rust}


def test_the_image_takes_the_package_that_make_makes():
    docker = (places.CHECKOUT / "packaging/Dockerfile").read_text()
    instructions = re.findall(r"^([A-Z]+) ((?:.*\\\n)*.*)", docker, re.MULTILINE)
    assert [name for name, _ in instructions] == ["ARG", "FROM", "ARG", "ARG", "COPY", "RUN"]
    for pg in POSTGRES:
        copied, target = instructions[4][1].replace("${PG}", str(pg)).replace("${TARGETARCH}", "amd64").split()
        made = f"postgresql-{pg}-odoo-etl_{VERSION}_amd64.deb"
        assert re.fullmatch(copied.replace("*", ".*"), made) and target == "/tmp/"
    assert instructions[1][1] == "postgres:${PG}" and int(instructions[0][1].removeprefix("PG=")) in POSTGRES
