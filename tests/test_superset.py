"""The bundle for Superset: its columns and expressions are those of the views, its parts fit together, and its amounts are of
one currency. That Superset shows them is the matter of make dashboards."""

import json
import shutil
import subprocess

import pytest

from .lab import node, places
from .lab.debian import Unavailable
from .test_reports import filled, made  # noqa: F401

HERE = places.CHECKOUT / "tests/dashboards"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The files by their paths."""
    if not shutil.which("npm"):
        pytest.skip("there is no npm, which brings a reader of YAML")
    try:
        modules = node.packages(HERE / "grafana/package.json")
    except Unavailable as problem:
        pytest.skip(f"a reader of YAML cannot be had: {problem}")
    room = tmp_path_factory.mktemp("superset")
    (room / "node_modules").symlink_to(modules)
    shutil.copy(HERE / "yaml.mjs", room)
    told = subprocess.run(["node", room / "yaml.mjs", places.CHECKOUT / "dashboards/superset"], capture_output=True, text=True, check=True)
    return json.loads(told.stdout)


def of(bundle, kind):
    return [value for path, value in bundle.items() if path.startswith(f"{kind}/")]


@pytest.fixture(scope="module")
def datasets(bundle):
    return {one["uuid"]: one for one in of(bundle, "datasets")}


@pytest.fixture(scope="module")
def charts(bundle):
    return {one["uuid"]: one for one in of(bundle, "charts")}


def place(dataset):
    return f'{dataset["schema"]}.{dataset["table_name"]}'


def expressions(dataset):
    """What its columns and metrics are in SQL, by their names."""
    columns = {one["column_name"]: one.get("expression") or one["column_name"] for one in dataset["columns"]}
    return columns, {one["metric_name"]: one["expression"] for one in dataset["metrics"]}


def query(chart, dataset):
    """About what Superset asks for a chart."""
    params = chart["params"]
    columns, metrics = expressions(dataset)
    conditions = [one["sqlExpression"] for one in params.get("adhoc_filters", []) if one["expressionType"] == "SQL"]
    for one in params.get("adhoc_filters", []):
        assert one["expressionType"] == "SQL" or one["subject"] in columns
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    if chart["viz_type"] == "table":
        order = ", ".join(f"{columns[name]} {'ASC' if ascending else 'DESC'}" for name, ascending in map(json.loads, params["order_by_cols"]))
        return f"SELECT {', '.join(columns[name] for name in params['all_columns'])} FROM {place(dataset)} {where} ORDER BY {order}"
    groups = params.get("groupby", [])
    groups = [columns[name] for name in [params.get("x_axis"), *([groups] if isinstance(groups, str) else groups)] if name]
    chosen = [metrics[name] for name in params.get("metrics") or [params["metric"]]]
    grouped = f"GROUP BY {', '.join(map(str, range(1, len(groups) + 1)))}" if groups else ""
    return f"SELECT {', '.join(groups + chosen)} FROM {place(dataset)} {where} {grouped}"


def test_columns_are_those_of_the_views(filled, datasets):
    filled.run("SELECT odoo_create_reports()")
    for dataset in datasets.values():
        there = {name for name, in filled.run("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                                              place(dataset))}
        ours = {one["column_name"] for one in dataset["columns"] if not one.get("expression")}
        assert ours <= there and dataset.get("main_dttm_col") in ours | {None}, place(dataset)
        for expression in (*expressions(dataset)[0].values(), *expressions(dataset)[1].values()):
            filled.run(f"SELECT {expression} FROM {place(dataset)}")


def test_charts_of_the_shop_have_rows(made, bundle, charts, datasets):
    for uuid in shown(bundle, "Shop"):
        chart = charts[uuid]
        assert made.run(query(chart, datasets[chart["dataset_uuid"]])), chart["slice_name"]


def test_charts_of_the_sync_run(filled, bundle, charts, datasets):
    for uuid in shown(bundle, "Sync"):
        chart = charts[uuid]
        rows = filled.run(query(chart, datasets[chart["dataset_uuid"]]))
        assert rows or chart["slice_name"] in {"Values in quarantine", "Missing references", "Runs that did not end well"}


def shown(bundle, title):
    """The charts of a dashboard by the numbers that its filters call them by."""
    position = bundle[f"dashboards/{title}.yaml"]["position"]
    return {one["meta"]["uuid"]: one["meta"]["chartId"] for one in position.values() if isinstance(one, dict) and one["type"] == "CHART"}


@pytest.mark.parametrize("title", ["Shop", "Sync"])
def test_the_parts_fit_together(bundle, charts, datasets, title):
    (database,) = of(bundle, "databases")
    assert {one["database_uuid"] for one in datasets.values()} == {database["uuid"]}
    assert {one["dataset_uuid"] for one in charts.values()} == set(datasets)
    board = bundle[f"dashboards/{title}.yaml"]
    numbers = shown(bundle, title)
    assert set(numbers) <= set(charts) and len(set(numbers.values())) == len(numbers)
    rows = [one for one in board["position"].values() if isinstance(one, dict) and one["type"] == "ROW"]
    assert all(sum(board["position"][child]["meta"]["width"] for child in row["children"]) == 12 for row in rows)
    for one in board["metadata"]["native_filter_configuration"]:
        within = {uuid for uuid, number in numbers.items() if number not in one["scope"]["excluded"]}
        assert {numbers[uuid] for uuid in within} == set(one["chartsInScope"])
        column = one["targets"][0].get("column", {}).get("name")
        if column and one["filterType"] == "filter_select":
            # A chart is filtered where its dataset can be, but for the branches of what is not of a branch alone.
            able = {uuid for uuid in numbers if column in expressions(datasets[charts[uuid]["dataset_uuid"]])[0]}
            assert within == able, one["name"]


def test_every_chart_is_of_one_dashboard(bundle, charts):
    assert sorted([*shown(bundle, "Shop"), *shown(bundle, "Sync")]) == sorted(charts)


def test_no_amount_is_of_two_currencies(bundle, charts, datasets):
    (currency,) = [one for one in bundle["dashboards/Shop.yaml"]["metadata"]["native_filter_configuration"] if one["name"] == "Currency"]
    # One value, from the first moment on, and never none.
    assert currency["requiredFirst"] and not currency["controlValues"]["multiSelect"]
    assert currency["controlValues"]["enableEmptyFilter"] and currency["controlValues"]["defaultToFirstItem"]
    outside = {charts[uuid]["slice_name"] for uuid, number in shown(bundle, "Shop").items() if number in currency["scope"]["excluded"]}
    assert outside == {"Sold and out of stock"}


def test_the_password_is_asked_for(bundle):
    (database,) = of(bundle, "databases")
    # What Superset takes for a password that it does not know.
    assert ":XXXXXXXXXX@" in database["sqlalchemy_uri"]
