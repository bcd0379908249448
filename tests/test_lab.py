"""What the lab says of what this machine cannot give."""

import pytest

from .lab import __main__ as lab
from .lab import clean, debian, installations, odoo, places
from .lab.releases import Odoo14


def test_without_root_the_tests_against_odoo_14_are_left_out_and_the_last_line_says_so(monkeypatch):
    monkeypatch.setattr(places, "IS_ROOT", False)
    monkeypatch.setattr(odoo, "ready", lambda release: release.root())
    monkeypatch.setattr(odoo, "ODOO_14", Odoo14())
    marked, left_out = lab.real()
    assert "not odoo14" in marked
    assert "Odoo 14 did NOT run" in left_out and "needs root" in left_out


def test_nothing_is_left_out_where_both_releases_can_be_had(monkeypatch):
    monkeypatch.setattr(odoo, "ready", lambda release: None)
    marked, left_out = lab.real()
    assert "odoo14" not in marked and left_out is None


def test_without_root_a_package_is_not_installed_and_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "IS_ROOT", False)
    with pytest.raises(debian.Unavailable, match="needs root"):
        clean.copy(15, tmp_path)


def test_a_postgres_that_cannot_be_had_is_left_out_and_the_last_line_says_why(monkeypatch):
    monkeypatch.setattr(places, "IS_ROOT", False)
    monkeypatch.setattr(installations.Wheel, "make", lambda wheel: None)
    found, missing = lab.servers("16 17 18")
    assert len(found) == 2 and len(missing) == 1
    assert "PostgreSQL 17 did NOT run" in missing[0] and "needs root" in missing[0]


def test_a_postgres_that_nobody_asked_for_is_named_too():
    found, missing = lab.servers("system")
    assert found == []
    assert [f"PostgreSQL {number} did NOT run" in line and "PG=system" in line
            for number, line in zip(installations.RELEASES, missing, strict=True)] == [True] * 3


def test_what_pg_config_is_of_the_cache_is_run_as_such():
    for release in installations.RELEASES.values():
        assert type(installations.named(str(release().pg_config))) is type(release())
    assert type(installations.named("pg_config")) is installations.Installation
