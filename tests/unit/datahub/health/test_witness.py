"""What an asset's summary names, in any shape that it may come in."""

import json
from typing import Any

import pytest

from incident_gate.datahub.health.listing import read_summary
from incident_gate.incident import Incident
from incident_gate.text import NO_SECRETS, Redactor
from tests.helpers.asking import ORDERS

SECRET = "s3cr3t-t0ken"
FIRST, SECOND = "urn:li:incident:1", "urn:li:incident:2"


def aspect(value: object, name: str = "incidentsSummary") -> dict[str, Any]:
    return {"aspectName": name, "payload": value if isinstance(value, str) else json.dumps(value)}


def active(*aspects: object, redact: Redactor = NO_SECRETS) -> list[Incident]:
    return [*read_summary([*aspects], ORDERS, redact)[0].values()]


def test_both_forms_of_a_summary_are_read_by_state() -> None:
    summary = {
        "activeIncidents": [FIRST],
        "activeIncidentDetails": [{"urn": SECOND}],
        "resolvedIncidents": ["urn:li:incident:3"],
        "resolvedIncidentDetails": [{"urn": "urn:li:incident:4"}],
    }

    claimed, settled = read_summary([aspect(summary)], ORDERS, NO_SECRETS)

    assert [*claimed] == [FIRST, SECOND]
    assert settled == {"urn:li:incident:3", "urn:li:incident:4"}


def test_other_aspects_are_not_read() -> None:
    assert active(aspect({"activeIncidents": [FIRST]}, name="status")) == []


@pytest.mark.parametrize("payload", ["{", "[]", "[" * 100_000, '"x"'])
def test_payload_that_cannot_be_read_is_passed_over(payload: str) -> None:
    assert [incident.urn for incident in active(aspect(payload), aspect({"activeIncidents": [FIRST]}))] == [FIRST]


def test_payload_beyond_any_summary_is_not_read() -> None:
    padding = "x" * 600_000

    assert active(aspect({"activeIncidents": [FIRST], "padding": padding})) == []


@pytest.mark.parametrize("urn", [None, 5, ORDERS, f"{FIRST}{'0' * 500}"])
def test_entry_that_names_no_incident_is_none(urn: object) -> None:
    assert active(aspect({"activeIncidents": [urn], "activeIncidentDetails": [{"urn": urn}]})) == []


@pytest.mark.parametrize("created", [None, "1", True, 1.5])
def test_time_that_is_none_is_unknown(created: object) -> None:
    [incident] = active(aspect({"activeIncidentDetails": [{"urn": FIRST, "createdAt": created}]}))

    assert incident.created_ms is None


def test_text_is_cut_and_shows_no_secret() -> None:
    details = {"urn": f"{FIRST}{SECRET}", "type": f"{SECRET}{'x' * 10_000}"}

    [incident] = active(aspect({"activeIncidentDetails": [details]}), redact=Redactor((SECRET,)))

    assert SECRET not in str(incident)
    assert len(incident.type or "") == 500
