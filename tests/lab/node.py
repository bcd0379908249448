"""Packages of npm that tests use: those that a package.json pins, kept in the cache."""

import hashlib
import shutil

from . import places
from .debian import get
from .places import say


def packages(manifest):
    """The folder node_modules with what this package.json names."""
    target = places.cache() / f"npm-{hashlib.sha256(manifest.read_bytes()).hexdigest()[:12]}"
    with places.locked(target.name):
        if not target.exists():
            say(f"installing the packages of {manifest.relative_to(places.CHECKOUT)} from npm")
            with places.made_whole(target) as fresh:
                shutil.copy(manifest, fresh / "package.json")
                get(["npm", "install", "--prefix", fresh, "--no-audit", "--no-fund", "--ignore-scripts"], "npm install")
    return target / "node_modules"
