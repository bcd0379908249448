#!/usr/bin/env python3
"""Whether all that names the version agrees with Cargo.toml; see docs/releasing.md."""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--released", action="store_true", help="that it is ready to be released, too")
    found = problems(SOURCES, parser.parse_args().released)
    sys.exit("\n".join(found))


def problems(sources, released=False):
    """What does not agree, each in a line."""
    read = lambda name: (sources / name).read_text()
    cargo = tomllib.loads(read("Cargo.toml"))
    version = cargo["package"]["version"]
    changes = changelog(read("CHANGELOG.md"))
    return [
        *(uncommitted(sources) if released else ()),
        *lock(tomllib.loads(read("Cargo.lock")), version),
        *newest(changes, version, released),
        *chain([release for release, _ in changes], scripts(sources, released), version),
        *meta(json.loads(read("META.json")), control(read("odoo_etl.control")), cargo),
        *(maintainer(json.loads(read("META.json"))) if released else ()),
        *readme(read("README.md"), version),
    ]


def git(sources, *command):
    return subprocess.run(["git", "-C", sources, *command], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def uncommitted(sources):
    """The packages are made of the files, the zip of what is committed."""
    for line in git(sources, "status", "--porcelain"):
        yield f"not committed: {line}"


def lock(locked, version):
    package = next(package for package in locked["package"] if package["name"] == "odoo_etl")
    if package["version"] != version:
        yield f"Cargo.lock has odoo_etl {package['version']}, Cargo.toml {version}: cargo update --workspace"


def changelog(text):
    """The releases, newest first, with their days."""
    return re.findall(r"^## (\S+) \((.*)\)$", text, re.MULTILINE)


def newest(changes, version, released):
    if not changes or changes[0][0] != version:
        yield f"CHANGELOG.md does not begin with {version}"
    for release, day in changes:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", day) and (released or release != version):
            yield f"CHANGELOG.md does not say on which day {release} was released: {day}"


def scripts(sources, released):
    """The steps of ALTER EXTENSION UPDATE, from and to. Templates are of what is not released yet: build.rs makes scripts
    of them, which are no part of the sources."""
    files = git(sources, "ls-files", "sql") if released else map(str, (sources / "sql").glob("**/*.sql"))
    kinds = r"odoo_etl--(\S+)--(\S+)\.sql" if released else r"(?:odoo_etl--|upgrade/)(\S+)--(\S+)\.sql"
    return [found.groups() for found in (re.search(f"/{kinds}$", file) for file in files) if found]


def chain(releases, steps, version):
    """Each release leads to `version`, by steps that each begin at a release."""
    reached = {version}
    while more := {begin for begin, end in steps if end in reached} - reached:
        reached |= more
    for release in releases:
        if release not in reached:
            yield f"no committed upgrade scripts lead from {release} to {version}"
    for begin, end in steps:
        for unknown in {begin, end} - {*releases}:
            yield f"the upgrade script from {begin} to {end} names {unknown}, which CHANGELOG.md does not have"


def control(text):
    return dict(re.findall(r"^(\w+) = '(.*)'$", text, re.MULTILINE))


def meta(meta, control, cargo):
    version = cargo["package"]["version"]
    lowest = min(int(name[2:]) for name in cargo["features"] if re.fullmatch(r"pg\d+", name))
    expected = [
        ("META.json", "version", meta["version"], version),
        ("META.json", "provides.odoo_etl.version", meta["provides"]["odoo_etl"]["version"], version),
        ("META.json", "abstract", meta["abstract"], control["comment"]),
        ("META.json", "prereqs", meta["prereqs"]["runtime"]["requires"]["PostgreSQL"], f"{lowest}.0.0"),
        # cargo-pgrx puts the version of Cargo.toml there.
        ("odoo_etl.control", "default_version", control["default_version"], "@CARGO_VERSION@"),
    ]
    for file, key, is_, should in expected:
        if is_ != should:
            yield f"{file}: {key} is {is_}, not {should}"


def maintainer(meta):
    """RFC 2606 reserves the domain for addresses that shall not be anybody's."""
    if meta["maintainer"].rstrip(">").endswith(".invalid"):
        yield f"META.json names no maintainer who can be reached: {meta['maintainer']}"


def readme(text, version):
    named = re.findall(r"odoo[-_]etl[-_](\d+\.\d+\.\d+)", text)
    if set(named) != {version}:
        yield f"README.md names packages of {', '.join(sorted(set(named))) or 'no release'}, not of {version}"


if __name__ == "__main__":
    main()
