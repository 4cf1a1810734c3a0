"""Waivers that match nothing are reported, unless the answer is incomplete."""

from __future__ import annotations

from datetime import date
from typing import Any

from incident_gate.gate.policy import Decision, Excused, unused_waivers
from incident_gate.incident import Problem, Reason
from incident_gate.manifest.model import Position, Waiver
from incident_gate.sandbox import Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.gating import check
from tests.helpers.report_samples import decision, entry, incident

ASSET = entry("orders").urn
LATE = incident(1, ASSET)


def warnings(urn: str = LATE.urn, **fields: Any) -> list[str]:
    waiver = Waiver(date(2099, 1, 1), "known", Position(7, 9), incident=urn)
    judged: Decision = decision(entry("orders")._replace(ignore=(waiver,)), **fields)
    return [f"{warning.position.line}:{warning.position.column} {warning}" for warning in unused_waivers([judged])]


def test_waiver_whose_incident_is_not_active_is_a_warning() -> None:
    assert warnings() == [f"7:9 the `ignore` rule for {LATE.urn} matches no active incident; delete it"]
    assert len(warnings(blocking=(incident(2, ASSET),))) == 1


def test_waiver_of_an_active_incident_is_none() -> None:
    assert warnings(excused=(Excused(LATE, "waived"),)) == []
    assert warnings(blocking=(LATE,)) == []


def test_incomplete_answer_is_no_evidence() -> None:
    assert warnings(problems=(Problem(Reason.NO_ANSWER, "no answer", ""),)) == []
    assert warnings(unread=1) == []


def test_check_reports_the_waiver_on_its_line(datahub: Sandbox) -> None:
    manifest = f"""inputs:
  - urn: {ORDERS}
    ignore:
      - {{incident: urn:li:incident:gone, until: 2099-01-01, reason: known}}
"""

    [warning] = check(datahub, manifest=manifest).warnings

    assert (warning.position.line, warning.position.column) == (4, 9)
    assert "urn:li:incident:gone matches no active incident" in warning.message


def test_waiver_of_a_selector_is_used_if_it_matches_on_any_asset() -> None:
    waiver = Waiver(date(2099, 1, 1), "known", Position(7, 9), incident=LATE.urn)
    selected = [decision(entry(name)._replace(ignore=(waiver,))) for name in ("a", "b")]
    matching = decision(entry("c")._replace(ignore=(waiver,)), excused=(Excused(LATE, "waived"),))
    assert len(list(unused_waivers(selected))) == 1
    assert list(unused_waivers([*selected, matching])) == []
