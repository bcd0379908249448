"""Foreign tables on a real Odoo 14, as those on 19."""

import pytest

from ..test_foreign_tables import (  # noqa: F401
    TABLES,
    live,
    test_live_and_loaded_rows_join,
    test_random_queries,
    test_two_users_see_what_each_may,
    test_what_is_written_is_in_odoo,
)

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def names():
    """Promotions are of another model before 16."""
    return ["coupon_program" if name == "loyalty_program" else name for name in TABLES]


@pytest.fixture
def full_name():
    """There is no other stored field of the kind before 17."""
    return "display_name"
