"""JSON: the document of `--format json`, and the action's outputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from incident_gate.gate.policy import Decision, Verdict
from incident_gate.incident import Assertion, AssertionResult, Incident, Problem, severity
from incident_gate.manifest.model import InputEntry, OutputEntry
from incident_gate.outcome.result import OutcomeReport, OutputResult
from incident_gate.report.headline import headline
from incident_gate.report.model import Override, Report
from incident_gate.report.view import assertion_page, asset_page, deciding_rules, incidents_page

VERSION = 1
# GitHub refuses an output above 1 MiB, but Linux starts no process with an environment variable above 131,072 bytes,
# and `env: {INCIDENTS: ${{ steps.gate.outputs.incidents }}}` is how an output is used.
OUTPUT_LIMIT = 120_000

# The outputs of a gate without a verdict: a later step must not take empty outputs for health.
NO_VERDICT: Mapping[str, str] = MappingProxyType(
    {
        "conclusion": "block",
        "verdict": "unknown",
        **dict.fromkeys(("incidents", "failing-assertions", "unhealthy", "unknown", "raised", "resolved"), "[]"),
        "blocking-count": "0",
        "override": "",
    }
)


def document(report: Report, *, events: Sequence[str] = ()) -> str:
    """The whole report as ASCII JSON; see `chunks`."""
    return "".join(chunks(report, events=events))


def chunks(report: Report, *, events: Sequence[str] = ()) -> Iterator[str]:
    """The document piece by piece: with its inputs all at once it can be a hundred megabytes.

    `version` changes only when a field goes away or changes its meaning. Every input has one element of `inputs`,
    healthy ones as well. A webhook receives the `events` that it is about.
    """
    run = report.run
    fields: dict[str, Any] = {
        "version": VERSION,
        **({"event": events[0] if len(events) == 1 else list(events)} if events else {}),
        "run": {
            "system": run.system,
            "repository": run.repository,
            "workflow": run.workflow or run.workflow_file,
            "job": run.job,
            "branch": run.branch,
            "actor": run.actor,
            "url": run.url,
        },
        "manifest": report.manifest_path,
        "time": timestamp(report.now_ms),
        "headline": headline(report),
        "conclusion": report.conclusion.value if report.gated else None,
        "verdict": report.verdict.value if report.gated else None,
        "failure": report.failure and {"message": report.failure.message, "hint": report.failure.hint},
        "override": report.override and _override(report.override),
        "waited": report.waited
        and {
            "seconds": round(report.waited.seconds, 1),
            "inputs": [decision.entry.urn.text for decision in report.waited.decisions],
        },
        "inputs": (_input(report, decision) for decision in report.decisions),
        "missingOutputs": [
            {
                **_named(missing.entry),
                "link": asset_page(report.ui_url, missing.entry.urn.text),
                **_problem(missing.problem),
            }
            for missing in report.missing_outputs
        ],
        "outcome": report.outcome and _outcome(report, report.outcome),
        "warnings": [
            {"line": w.position.line, "column": w.position.column, "message": w.message, "expected": w.expected}
            for w in report.warnings
        ],
        "notices": list(report.notices),
    }
    start = "{\n"
    for name, value in fields.items():
        yield f'{start}  "{name}": '
        yield from _array(value) if isinstance(value, Iterator) else (_indented(value, 2),)
        start = ",\n"
    yield "\n}\n"


def _array(elements: Iterator[Any]) -> Iterator[str]:
    start = "[\n"
    for element in elements:
        yield f"{start}    {_indented(element, 4)}"
        start = ",\n"
    yield "[]" if start == "[\n" else "\n  ]"


def _indented(value: Any, spaces: int) -> str:
    # A line break within a text is escaped.
    return json.dumps(value, indent=2).replace("\n", "\n" + " " * spaces)


def outputs(report: Report) -> Mapping[str, str]:
    """The action's outputs by name.

    A list that would be too long is cut at its end, where the least severe are, and its last element then has how
    many are missing: `{"truncated": 17}` among incidents, `"truncated:17"` among URNs.
    """
    blocking = [(decision, incident) for decision in report.decisions for incident in decision.blocking]
    incidents = [_item(report, *found) for found in sorted(blocking, key=lambda found: severity(found[1]))]
    incidents += [item for decision in report.decisions for item in _excused(report, decision, Incident)]
    assertions = [item for decision in report.decisions for item in _assertions(report, decision)]
    return {
        "conclusion": report.conclusion.value if report.gated else "",
        "verdict": report.verdict.value if report.gated else "",
        "incidents": _list(incidents, lambda missing: {"truncated": missing}),
        "failing-assertions": _list(assertions, lambda missing: {"truncated": missing}),
        "unhealthy": _urns(d.entry.urn.text for d in report.decisions if d.verdict is Verdict.UNHEALTHY),
        "unknown": _urns(d.entry.urn.text for d in report.decisions if d.verdict is Verdict.UNKNOWN),
        "blocking-count": str(sum(decision.blocking_count for decision in report.decisions)),
        "override": json.dumps(_override(report.override)) if report.override else "",
        "raised": _urns(urn for result in report.results for urn in result.raised),
        "resolved": _urns(urn for result in report.results for urn in result.resolved),
    }


def timestamp(ms: int | None) -> str | None:
    """A time in ISO 8601, UTC; None if there is none or the server's number is not a time."""
    if ms is None:
        return None
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return None


def _assertions(report: Report, decision: Decision) -> Iterator[dict[str, Any]]:
    """The failing assertions of an input, and those that do not count."""
    yield from (_item(report, decision, assertion) for assertion in decision.failing)
    yield from _excused(report, decision, Assertion)


def _excused(report: Report, decision: Decision, kind: type[Incident | Assertion]) -> Iterator[dict[str, Any]]:
    for excuse in decision.excused:
        if isinstance(excuse.item, kind):
            yield _item(report, decision, excuse.item, excuse.reason)


def _item(report: Report, decision: Decision, item: Incident | Assertion, reason: str | None = None) -> dict[str, Any]:
    """`asset` is where the item is, perhaps a sibling; `entry` is the manifest's input for which it counts."""
    if isinstance(item, Assertion):
        link = assertion_page(report.ui_url, item.asset, item.urn)
        own: dict[str, Any] = {
            "description": item.description,
            "result": item.result.value,
            "lastRun": timestamp(item.run_ms),
            "failingSince": timestamp(item.since_ms) if item.result is AssertionResult.FAILURE else None,
            "externalUrl": item.url,
        }
    else:
        link = incidents_page(report.ui_url, item.asset)
        own = {
            "customType": item.custom_type,
            "title": item.title,
            "priority": None if item.priority is None else item.priority.name,
            "stage": item.stage,
            "assignees": list(item.assignees),
            "created": timestamp(item.created_ms),
        }
    return {
        "urn": item.urn,
        "asset": item.asset,
        "entry": decision.entry.urn.text,
        "type": item.type,
        **own,
        "blocking": reason is None,
        "excused": reason,
        "link": link,
    }


def _input(report: Report, decision: Decision) -> dict[str, Any]:
    urn = decision.entry.urn.text
    incidents = (_item(report, decision, incident) for incident in decision.blocking)
    assertions = {"assertions": list(_assertions(report, decision))} if decision.counts_assertions else {}
    return {
        **_named(decision.entry),
        "selectedBy": decision.entry.selected_by or None,
        "link": incidents_page(report.ui_url, urn),
        "verdict": decision.verdict.value,
        "conclusion": decision.conclusion.value,
        "incidents": [*incidents, *_excused(report, decision, Incident)],
        **assertions,
        "unread": decision.unread,
        "problems": [_problem(problem) for problem in decision.problems],
        "siblings": list(decision.siblings),
        "owners": _owners(report, urn),
        "rules": deciding_rules(decision),
    }


def _named(entry: InputEntry | OutputEntry) -> dict[str, Any]:
    return {"urn": entry.urn.text, "name": entry.label, "line": entry.position.line or None}


def _problem(problem: Problem) -> dict[str, str]:
    return {"reason": problem.reason.value, "message": problem.message, "hint": problem.hint}


def _outcome(report: Report, outcome: OutcomeReport) -> dict[str, Any]:
    return {
        "status": outcome.outcome,
        "nothing": outcome.nothing,
        "warnings": list(outcome.warnings),
        "unrelatedChecks": outcome.unrelated_checks,
        "unrelatedFailures": len(outcome.unrelated_failures),
        "unrelatedFailed": list(outcome.unrelated_failures),
        "onRequest": outcome.on_request,
        "outputs": [_output(report, result) for result in outcome.results],
    }


def _output(report: Report, result: OutputResult) -> dict[str, Any]:
    urn = result.entry.urn.text
    return {
        **_named(result.entry),
        "change": result.change.value,
        "decidedBy": "results" if result.by_results else "job-status",
        "reason": result.reason,
        "incidents": list(result.incidents),
        "link": incidents_page(report.ui_url, urn),
        "message": result.message,
        "hint": result.hint,
        "failedChecks": [{"name": name, "message": message} for name, message in result.failed],
        "owners": _owners(report, urn),
    }


def _owners(report: Report, urn: str) -> list[dict[str, str]]:
    return [{"urn": owner.urn, "name": owner.name} for owner in report.owners.get(urn, ())]


def _override(override: Override) -> dict[str, str]:
    return {"reason": override.reason, "actor": override.actor}


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
