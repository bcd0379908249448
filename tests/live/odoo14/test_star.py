"""Every table of the star schema against the real Odoo 14's own database."""

import pytest

from .. import shop as shop_data
from ..conftest import tables_of
from ..test_star import (  # noqa: F401
    test_companies_can_be_chosen,
    test_costs_are_those_of_the_products_company,
    test_counts_and_checksums_agree,
    test_every_column_of_every_row_agrees,
    test_every_table_is_compared,
    test_lines_add_up_to_their_orders_refunds_included,
    test_nothing_is_missing,
    test_sales_alone_into_an_empty_schema_are_the_same,
    test_a_second_run_writes_nothing,
    test_tenders_add_up_to_what_was_paid,
    warehouse,
)
from .conftest import Truth14

TABLES = tables_of(Truth14.queries)


@pytest.fixture(scope="module")
def made(api):
    return shop_data.furnish(api)


def test_lineage_names_the_fields(warehouse):
    lineage = dict(warehouse.run("SELECT column_name, field FROM odoo_columns WHERE target = 'dim_employees'"))
    assert lineage["gender"] == "gender"
    assert lineage["hire_date"] == "first_contract_date"
