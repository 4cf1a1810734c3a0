"""JSON: the document of `--format json`, and the action's outputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from incident_gate.errors import GateError
from incident_gate.gate.policy import Decision, Verdict
from incident_gate.incident import Incident
from incident_gate.outcome.result import Change, OutputResult
from incident_gate.report.links import incidents_page
from incident_gate.report.model import Override, Report
from incident_gate.report.view import excused, findings_of, headline, timestamp

VERSION = 1
# GitHub refuses an output above 1 MiB, but Linux starts no process with an environment variable above 131,072 bytes,
# and `env: {INCIDENTS: ${{ steps.gate.outputs.incidents }}}` is how an output is used.
OUTPUT_LIMIT = 120_000

# The outputs of a gate that came to no verdict: whoever reads them must not take silence for health.
NO_VERDICT: Mapping[str, str] = MappingProxyType(
    {
        "conclusion": "block",
        "verdict": "unknown",
        "incidents": "[]",
        "unhealthy": "[]",
        "unknown": "[]",
        "blocking-count": "0",
        "override": "",
        "raised": "[]",
        "resolved": "[]",
    }
)


def document(report: Report) -> str:
    """The whole report as ASCII JSON.

    `version` changes only when a field goes away or changes its meaning. Every input has one element of `inputs`,
    healthy ones as well.
    """
    value: dict[str, Any] = {
        "version": VERSION,
        "manifest": report.manifest_path,
        "time": timestamp(report.now_ms),
        "headline": headline(report),
        "conclusion": report.conclusion.value if report.gated else None,
        "verdict": report.verdict.value if report.gated else None,
        "failure": None if report.failure is None else _failure(report.failure),
        "override": report.override and _override(report.override),
        "waited": report.waited
        and {
            "seconds": round(report.waited.seconds, 1),
            "inputs": [decision.entry.urn.text for decision in report.waited.decisions],
        },
        "inputs": [_input(decision, report.ui_url) for decision in report.decisions],
        "outcome": None,
        "warnings": [
            {"line": w.position.line, "column": w.position.column, "message": w.message, "expected": w.expected}
            for w in report.warnings
        ],
        "notices": list(report.notices),
    }
    if report.outcome is not None:
        value["outcome"] = {
            "status": report.outcome.outcome,
            "nothing": report.outcome.nothing,
            "warnings": list(report.outcome.warnings),
            "unrelatedChecks": report.outcome.unrelated_checks,
            "unrelatedFailures": report.outcome.unrelated_failures,
            "outputs": [_output(result, report.ui_url) for result in report.outcome.results],
        }
    return json.dumps(value, indent=2) + "\n"


def outputs(report: Report) -> Mapping[str, str]:
    """The action's outputs by name.

    A list that would be too long is cut at its end, where the least severe stand, and its last element then says how
    many are missing: `{"truncated": 17}` among incidents, `"truncated:17"` among URNs.
    """
    gated = report.gated
    results = report.outcome.results if report.outcome else ()
    return {
        "conclusion": report.conclusion.value if gated else "",
        "verdict": report.verdict.value if gated else "",
        "incidents": _list(list(_incidents(report)), lambda missing: {"truncated": missing}),
        "unhealthy": _urns(d.entry.urn.text for d in report.decisions if d.verdict is Verdict.UNHEALTHY),
        "unknown": _urns(d.entry.urn.text for d in report.decisions if d.verdict is Verdict.UNKNOWN),
        "blocking-count": str(sum(decision.blocking_count for decision in report.decisions)),
        "override": json.dumps(_override(report.override)) if report.override else "",
        "raised": _urns(urn for result in results if result.change is Change.RAISED for urn in result.incidents),
        "resolved": _urns(urn for result in results if result.change is Change.RESOLVED for urn in result.incidents),
    }


def _incidents(report: Report) -> Iterator[dict[str, Any]]:
    found = [finding for decision in report.decisions for finding in findings_of(decision) if finding.incident]
    for finding in sorted(found, key=lambda finding: finding.rank):
        if finding.incident:
            yield _incident(finding.decision, finding.incident, report.ui_url)
    for finding, excuse in excused(report):
        yield _incident(finding.decision, excuse.incident, report.ui_url, excuse.reason)


def _incident(decision: Decision, incident: Incident, ui_url: str | None, excused: str | None = None) -> dict[str, Any]:
    """`asset` is where the incident is, a sibling perhaps; `entry` is the manifest's input for which it counts."""
    return {
        "urn": incident.urn,
        "asset": incident.asset,
        "entry": decision.entry.urn.text,
        "type": incident.type,
        "customType": incident.custom_type,
        "title": incident.title,
        "priority": None if incident.priority is None else incident.priority.name,
        "created": timestamp(incident.created_ms),
        "blocking": excused is None,
        "excused": excused,
        "link": incidents_page(ui_url, incident.asset),
    }


def _input(decision: Decision, ui_url: str | None) -> dict[str, Any]:
    incidents = [_incident(decision, f.incident, ui_url) for f in findings_of(decision) if f.incident]
    incidents += [_incident(decision, e.incident, ui_url, e.reason) for e in decision.excused]
    return {
        "urn": decision.entry.urn.text,
        "name": decision.entry.label,
        "line": decision.entry.position.line or None,
        "link": incidents_page(ui_url, decision.entry.urn.text),
        "verdict": decision.verdict.value,
        "conclusion": decision.conclusion.value,
        "incidents": incidents,
        "unread": decision.unread,
        "problems": [{"reason": p.reason.value, "message": p.message, "hint": p.hint} for p in decision.problems],
        "siblings": list(decision.siblings),
        "rules": list(decision.rules),
    }


def _output(result: OutputResult, ui_url: str | None) -> dict[str, Any]:
    return {
        "urn": result.entry.urn.text,
        "name": result.entry.label,
        "line": result.entry.position.line or None,
        "link": incidents_page(ui_url, result.entry.urn.text),
        "change": result.change.value,
        "decidedBy": "results" if result.by_results else "job-status",
        "reason": result.reason,
        "incidents": list(result.incidents),
        "message": result.message,
        "hint": result.hint,
    }


def _override(override: Override) -> dict[str, str]:
    return {"reason": override.reason, "actor": override.actor}


def _failure(error: GateError) -> dict[str, str]:
    return {"message": error.message, "hint": error.hint}


def _urns(urns: Iterable[str]) -> str:
    return _list(list(urns), lambda missing: f"truncated:{missing}")


def _list(elements: Sequence[Any], marker: Callable[[int], Any]) -> str:
    separator = ", "
    room = OUTPUT_LIMIT - len("[]") - len(separator) - len(json.dumps(marker(len(elements))))
    kept: list[str] = []
    for index, element in enumerate(elements):
        text = json.dumps(element)
        if len(text) > room:
            kept.append(json.dumps(marker(len(elements) - index)))
            break
        kept.append(text)
        room -= len(text) + len(separator)
    return f"[{separator.join(kept)}]"
