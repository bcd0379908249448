"""The dbt package on a warehouse of a real Odoo."""

from ..test_dbt import equal_the_reports, service  # noqa: F401 (a fixture)


def test_it_builds_on_the_demo_data(shop, service):  # noqa: F811
    shop.run("SELECT * FROM odoo_sync_all()")
    service.profile(shop)
    assert service.run("build"), (service.failed(), service.told)
    assert (service.failed(), service.told) == (set(), [])
    equal_the_reports(shop)
