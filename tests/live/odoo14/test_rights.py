"""Users who are not administrators in the real Odoo 14."""

from ..test_rights import (  # noqa: F401
    books,
    test_foreign_tables_can_be_read_whole,
    test_jobs_do_what_a_run_does,
    test_verify_and_reconcile_have_nothing_to_tell,
    test_what_is_left_out_is_what_odoo_refuses,
    test_what_the_user_may_see_is_there,
    users,
)
