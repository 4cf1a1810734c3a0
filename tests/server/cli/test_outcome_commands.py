"""`incident-gate raise`, `resolve` and `report`."""

from __future__ import annotations

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS
from tests.helpers.command import ask

pytestmark = pytest.mark.writes


def test_raise_and_resolve(each_datahub: Sandbox, manifest: str) -> None:
    words = ("--incident-title", "Broken", "--incident-message", "See DATA-7.")
    raised = ask(each_datahub, "raise", manifest, *words)
    [incident] = each_datahub.store.incidents(CUSTOMERS, "ACTIVE")
    assert (raised.code, incident.title) == (0, "Broken")
    assert (incident.description or "").startswith("See DATA-7.\n")
    assert raised.out.startswith("Incident raised on 1 output\n")
    assert incident.urn in raised.out

    resolved = ask(each_datahub, "resolve", manifest)
    assert resolved.code == 0
    assert resolved.out.startswith("Incident resolved on 1 output\n")
    assert incident.urn in resolved.out
    assert each_datahub.store.incidents(CUSTOMERS, "ACTIVE") == []


@pytest.mark.parametrize(("status", "active"), [("failure", 1), ("success", 0), ("cancelled", 0)])
def test_report_goes_by_the_status(datahub: Sandbox, manifest: str, status: str, active: int) -> None:
    assert ask(datahub, "report", manifest, "--job-status", status).code == 0

    assert len(datahub.store.incidents(CUSTOMERS, "ACTIVE")) == active


def test_report_without_a_status_is_a_mistake(datahub: Sandbox, manifest: str) -> None:
    ended = ask(datahub, "report", manifest)

    assert ended.code == 2
    assert "job-status is not set" in ended.err


def test_dry_run_says_what_would_be_and_writes_nothing(datahub: Sandbox, manifest: str) -> None:
    def would(*command: str) -> str:
        ended = ask(datahub, *command, manifest, "--dry-run", "--format", "json")
        [output] = ended.json["outcome"]["outputs"]
        return f"{ended.code} {output['change']}"

    assert would("raise") == "0 would raise"
    ask(datahub, "raise", manifest)
    datahub.requests.clear()
    assert would("report", "--job-status", "failure") == "0 would keep"
    assert would("resolve") == "0 would resolve"
    assert not any(request.query.startswith("mutation") for request in datahub.requests)


def test_what_cannot_be_written_is_3(datahub: Sandbox, manifest: str) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.GRAPHQL_ERROR, operation="raiseIncident", code=403),))

    ended = ask(datahub, "raise", manifest)

    assert ended.code == 3
    assert ended.out.startswith("Incident not written on 1 output\n")
