"""What the lab says of what this machine cannot give."""

import pytest

from .lab import __main__ as lab
from .lab import clean, debian, odoo, places
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
