#!/usr/bin/env python3
"""Makes the Debian package for one release of PostgreSQL of what `cargo pgrx package` left: see `make package`."""

import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import textwrap
import tomllib
from datetime import date, datetime, timezone
from email.utils import format_datetime
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1]

CONTROL = """\
Package: {package}
Source: odoo-etl
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: postgresql-{pg}, {libraries}
Recommends: ca-certificates
Suggests: postgresql-{pg}-cron
Section: database
Priority: optional
Description: {abstract}
{description}
"""

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: odoo_etl
Comment: The library holds crates of other authors, whose notices are in THIRD-PARTY.gz.

Files: *
Copyright: {copyright}
License: PostgreSQL
{license}
"""

ENTRY = """\
odoo-etl ({version}) unstable; urgency=medium

{changes}

 -- {maintainer}  {date}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pg", type=int, help="release of PostgreSQL")
    parser.add_argument("staged", type=Path, help="the --out-dir of cargo pgrx package")
    parser.add_argument("out", type=Path, help="folder of the package")
    arguments = parser.parse_args()
    meta = json.loads((SOURCES / "META.json").read_text())
    entries = changelog(meta["maintainer"])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        fill(root, arguments.pg, arguments.staged, entries)
        print(build(root, arguments.pg, meta, entries, arguments.out))


def fill(root, pg, staged, entries):
    """What is installed, where Debian's and PGDG's PostgreSQL look for it."""
    library = root / f"usr/lib/postgresql/{pg}/lib/odoo_etl.so"
    extension = root / f"usr/share/postgresql/{pg}/extension"
    documents = root / f"usr/share/doc/{name(pg)}"
    copy(find(staged, "odoo_etl.so"), library)
    run("strip", "--strip-unneeded", library)
    made = find(staged, "odoo_etl.control").parent
    # cargo-pgrx leaves out the scripts of earlier releases.
    for file in [*made.glob("odoo_etl*"), *(SOURCES / "sql").glob("odoo_etl--*.sql")]:
        copy(file, extension / file.name)
    write(documents / "copyright", copyright_of_ours())
    write(documents / "changelog.gz", "\n".join(entry for _, entry in entries))
    write(documents / "THIRD-PARTY.gz", notices(pg))


def build(root, pg, meta, entries, out):
    files = sorted(file for file in root.rglob("*") if file.is_file())
    # By this folder dpkg-shlibdeps knows a package.
    (root / "DEBIAN").mkdir()
    sums = "".join(f"{hashlib.md5(file.read_bytes()).hexdigest()}  {file.relative_to(root)}\n" for file in files)
    fields = {
        "package": name(pg),
        "pg": pg,
        "version": tomllib.loads((SOURCES / "Cargo.toml").read_text())["package"]["version"],
        "architecture": run("dpkg", "--print-architecture").strip(),
        "maintainer": meta["maintainer"],
        "size": sum(-(-file.stat().st_size // 1024) for file in files),
        "libraries": libraries(next(root.rglob("*.so"))),
        "abstract": meta["abstract"],
        "description": wrapped(meta["description"]),
    }
    write(root / "DEBIAN/md5sums", sums)
    write(root / "DEBIAN/control", CONTROL.format(**fields))
    out.mkdir(parents=True, exist_ok=True)
    for earlier in out.glob(f"{name(pg)}_*_{fields['architecture']}.deb"):
        earlier.unlink()
    package = out / "{package}_{version}_{architecture}.deb".format(**fields)
    built = entries[0][0]
    run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, package,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(int(built.timestamp()))})
    return package


def name(pg):
    return f"postgresql-{pg}-odoo-etl"


def changelog(maintainer):
    """The releases of CHANGELOG.md, newest first: when each was made, and its entry in Debian's form."""
    text = (SOURCES / "CHANGELOG.md").read_text()
    releases = re.findall(r"^## (\S+) \((\S+)\)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return [entry(version, noon(day), text, maintainer) for version, day, text in releases]


def entry(version, when, text, maintainer):
    changes = re.findall(r"^- (.*?)(?=^- |\Z)", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(wrapped(change, "  * ", "    ") for change in changes)
    return when, ENTRY.format(version=version, changes=lines, maintainer=maintainer, date=format_datetime(when))


def noon(day):
    made = date.today() if day == "unreleased" else date.fromisoformat(day)
    return datetime(made.year, made.month, made.day, 12, tzinfo=timezone.utc)


def copyright_of_ours():
    text = (SOURCES / "LICENSE").read_text()
    lines = text[text.index("Permission"):].strip().splitlines()
    return COPYRIGHT.format(copyright=re.search(r"Copyright \(c\) (.*)", text)[1],
                            license="\n".join(f" {line or '.'}" for line in lines))


def notices(pg):
    """The crates that the library holds, with each text of their licenses once."""
    crates, texts = linked(pg), {}
    listed = "".join(f"{crate['name']} {crate['version']}: {crate['license']}\n" for crate in crates)
    for crate in crates:
        for file in sorted(Path(crate["manifest_path"]).parent.iterdir()):
            if re.match(r"LICEN[SC]E|COPYING|NOTICE|COPYRIGHT", file.name, re.I) and file.is_file():
                texts.setdefault(file.read_text(errors="replace").strip(), []).append(crate["name"])
    return listed + "".join(f"\n---- {', '.join(names)}\n\n{text}\n" for text, names in texts.items())


def linked(pg):
    """The crates whose code is in the library, by cargo's own account."""
    metadata = json.loads(run("cargo", "metadata", "--locked", "--format-version", "1", "--no-default-features",
                              "--features", f"pg{pg}", "--filter-platform", host(), cwd=SOURCES))
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    seen, left = set(), [root]
    while left:
        crate = left.pop()
        if crate not in seen and packages[crate]["targets"][0]["kind"] != ["proc-macro"]:
            seen.add(crate)
            left += [dep["pkg"] for dep in nodes[crate]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
    return sorted((packages[crate] for crate in seen - {root}), key=lambda crate: crate["name"])


def host():
    return re.search(r"^host: (\S+)", run("rustc", "-vV"), re.MULTILINE)[1]


def libraries(library):
    """The packages of the shared libraries that it needs; dpkg-shlibdeps wants to be in a source package."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "debian/control", "Source: odoo-etl\n\nPackage: odoo-etl\nArchitecture: any\n")
        said = run("dpkg-shlibdeps", "-O", library, cwd=folder)
    return re.search(r"^shlibs:Depends=(.*)", said, re.MULTILINE)[1]


def wrapped(text, first=" ", further=" "):
    return textwrap.fill(" ".join(text.split()), 78, initial_indent=first, subsequent_indent=further,
                         break_long_words=False, break_on_hyphens=False)


def find(folder, file):
    return next(folder.rglob(file))


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def write(target, text):
    target.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    target.write_bytes(gzip.compress(data, 9, mtime=0) if target.suffix == ".gz" else data)
    target.chmod(0o644)


def run(*command, **options):
    return subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True, **options).stdout


if __name__ == "__main__":
    os.umask(0o022)
    main()
