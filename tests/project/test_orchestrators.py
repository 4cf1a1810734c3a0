"""The examples for Airflow and Dagster, their functions run against a server.

Both frameworks are replaced by the few names that the examples use: what is tested is what the functions do.
"""

from __future__ import annotations

import runpy
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from incident_gate.sandbox import Sandbox

FOLDER = Path(__file__).parents[2] / "examples" / "orchestrators"
Tasks = Mapping[str, "Task"]


class Task:
    """What a decorator of Airflow makes of a function: its options, and an object that can be ordered."""

    def __init__(self, function: Callable[[], Any], options: dict[str, Any]) -> None:
        self.function, self.options = function, options
        self.upstream: list[Task] = []

    def __call__(self) -> Task:
        return self

    def __rrshift__(self, others: list[Task]) -> None:
        self.upstream = others


@pytest.fixture
def server(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.setenv("DATAHUB_GMS_URL", sandbox.url)
    monkeypatch.setenv("DATAHUB_GMS_TOKEN", sandbox.token)
    return sandbox


@pytest.fixture
def tasks(server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, Task]:
    """The tasks of the DAG by name."""
    found: dict[str, Task] = {}

    def decorator(**options: Any) -> Callable[[Callable[[], Any]], Task]:
        def decorate(function: Callable[[], Any]) -> Task:
            found[function.__name__] = Task(function, options)
            return found[function.__name__]

        return decorate

    vars(decorator).update(sensor=decorator)
    sdk = ModuleType("airflow.sdk")
    sdk.dag = lambda **_: lambda function: function  # type: ignore[attr-defined]
    sdk.task = decorator  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow", ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.sdk", sdk)
    names = runpy.run_path(str(FOLDER / "airflow_dag.py"))
    server.store.add_assets([names["ORDERS"], names["REVENUE"]])
    return found


ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.orders,PROD)"
REVENUE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.revenue_daily,PROD)"


def test_airflow_gate_waits_for_the_incident_to_be_resolved(
    server: Sandbox, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks["gate"].function()
    incident = server.store.raise_incident(ORDERS, title="late")
    # The first second of waiting resolves the incident and lasts a minute.
    now = 0.0

    def sleep(_seconds: float) -> None:
        nonlocal now
        now += 60
        server.store.resolve(incident)

    monkeypatch.setattr(
        "incident_gate.api.time", SimpleNamespace(sleep=sleep, monotonic=lambda: now, time_ns=time.time_ns)
    )
    tasks["gate"].function()
    assert now == 60


def test_airflow_sensor_waits_and_errors_are_not_hidden(server: Sandbox, tasks: Tasks) -> None:
    assert tasks["healthy_inputs"].function() is True
    server.store.raise_incident(ORDERS, title="late")
    assert tasks["healthy_inputs"].function() is False
    assert tasks["healthy_inputs"].options["mode"] == "reschedule"


def test_airflow_callbacks_report_how_the_work_ended(server: Sandbox, tasks: Tasks) -> None:
    build = tasks["build"]
    assert build.upstream == [tasks["gate"], tasks["healthy_inputs"]]

    build.options["on_failure_callback"]({})
    assert len(server.store.incidents(REVENUE, "ACTIVE")) == 1
    build.options["on_success_callback"]({})
    assert len(server.store.incidents(REVENUE, "ACTIVE")) == 0


@pytest.fixture
def dagster(server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of Dagster's example."""

    def asset(function: Any = None, **_: Any) -> Any:
        return function or (lambda decorated: decorated)

    module = ModuleType("dagster")
    names = {"asset": asset, "asset_check": lambda **_: lambda function: function}
    vars(module).update(names, AssetCheckResult=SimpleNamespace, Definitions=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "dagster", module)
    server.store.add_assets([ORDERS, REVENUE])
    return runpy.run_path(str(FOLDER / "dagster_assets.py"))


def test_dagster_check_fails_while_an_input_has_incidents(server: Sandbox, dagster: dict[str, Any]) -> None:
    check = dagster["orders_have_no_incidents"]

    assert check().passed is True
    server.store.raise_incident(ORDERS, title="late")
    blocked = check()
    assert blocked.passed is False
    assert blocked.description.startswith("Blocked: 1 incident on 1 input")


def test_dagster_asset_reports_how_it_ended(server: Sandbox, dagster: dict[str, Any]) -> None:
    build = dagster["revenue_daily"]

    def broken() -> None:
        raise ZeroDivisionError

    build.__globals__["build"] = broken
    with pytest.raises(ZeroDivisionError):
        build()
    assert len(server.store.incidents(REVENUE, "ACTIVE")) == 1
    build.__globals__["build"] = lambda: None
    build()
    assert len(server.store.incidents(REVENUE, "ACTIVE")) == 0
