"""Incremental runs against the real Odoo 14, as those against 19."""

import pytest

from ..test_in_step import (  # noqa: F401
    all_differences,
    run,
    test_a_late_commit_is_found,
    test_a_run_without_changes_reads_little_and_writes_nothing,
    test_a_template_written_is_its_variants_changed,
    test_archived_and_returned,
    test_deleted_records,
    test_lines_and_orders_that_change,
    test_pos_lines_that_are_gone,
    test_quants_that_are_merged_by_sql,
    warehouse,
)

pytestmark = pytest.mark.whole


def test_a_contract_that_changes_is_its_employee_changed(warehouse, api, truth):
    """Before 19 the contract is a record of its own, whose write leaves hr.employee as it was."""
    employee = warehouse.made["employee"]
    contract = api("hr.contract", "search", [("employee_id", "=", employee)])
    api("hr.contract", "write", contract, {"date_start": "2019-09-09"})
    run(warehouse)
    assert all_differences(warehouse, truth) == []
    assert warehouse.value("SELECT hire_date::text FROM dim_employees WHERE id = %s", employee) == "2019-09-09"
