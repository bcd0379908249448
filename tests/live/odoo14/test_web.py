"""The web client's protocol on the real Odoo 14."""

from ..test_web import (  # noqa: F401
    clerk,
    test_a_database_that_is_not_there,
    test_a_session_that_an_administrator_ended,
    test_a_write_in_a_session_that_was_ended_is_made_once,
    test_an_administrators_login_sets_the_base_url,
    test_auto_tells_what_it_would_take,
    test_the_end_of_a_backend_ends_the_session,
    test_what_a_login_leaves,
    url_of_mails,
)
