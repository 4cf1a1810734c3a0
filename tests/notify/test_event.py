"""What is announced, and whose owners matter."""

from incident_gate.datahub.graph.owners import Owner
from incident_gate.gate.policy import Conclusion
from incident_gate.notify.event import EventKind, affected_assets, events_of
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.model import Override
from tests.helpers.job_end import output
from tests.helpers.report_samples import decision, entry, incident, missing, report, unhealthy

ALL = frozenset(EventKind)
URN = "urn:li:dataset:(urn:li:dataPlatform:snowflake,shop.{},PROD)"


def outcome(**changes: Change) -> OutcomeReport:
    results = (
        OutputResult(
            entry=output(URN.format(name)),
            change=change,
            title=f"{name} failed",
            raised=("urn",) if change is Change.RAISED else (),
            # Of two incidents one was resolved, and then the other could not be.
            resolved=("urn",) if change is Change.RESOLVED or name == "partly" else (),
        )
        for name, change in changes.items()
    )
    return OutcomeReport(outcome="failure", results=tuple(results))


def test_raised_and_resolved_are_announced_together() -> None:
    announced = report(
        gated=False, outcome=outcome(a=Change.RAISED, b=Change.RESOLVED, c=Change.RAISED, partly=Change.FAILED)
    )

    found = {event.kind: [item.name for item in event.items] for event in events_of(announced, ALL, {})}

    assert found == {EventKind.RAISED: ["shop.a", "shop.c"], EventKind.RESOLVED: ["shop.b", "shop.partly"]}


def test_kept_failed_and_imagined_changes_are_not_announced() -> None:
    quiet = (Change.KEPT, Change.CLEAR, Change.FAILED, Change.WOULD_RAISE, Change.WOULD_RESOLVE)
    announced = report(gated=False, outcome=outcome(**{change.name.lower(): change for change in quiet}))

    assert events_of(announced, ALL, {}) == ()
    assert affected_assets(announced) == ()


def test_only_wanted_events_are_announced() -> None:
    announced = report(unhealthy("orders"))

    assert events_of(announced, frozenset({EventKind.RAISED}), {}) == ()
    assert [event.kind for event in events_of(announced, ALL, {})] == [EventKind.BLOCKED]


def test_blocked_run_names_what_blocks_with_its_owner() -> None:
    blocked, unknown = unhealthy("orders"), missing("customers", line=2)
    passing = decision(entry("stores", 3))
    ana = Owner("urn:li:corpuser:ana", "Ana")
    announced = report(passing, blocked, unknown)

    [event] = events_of(announced, ALL, {blocked.entry.urn.text: (ana,)})

    assert [(item.name, item.detail, item.owners) for item in event.items] == [
        ("orders", "Rows are missing", (ana,)),
        ("customers", "DataHub does not know customers.", ()),
    ]
    assert affected_assets(announced) == (blocked.entry.urn.text, unknown.entry.urn.text)


def test_warning_is_not_a_block() -> None:
    assert events_of(report(missing("customers", conclusion=Conclusion.WARN)), ALL, {}) == ()


def test_overridden_run_is_announced_as_blocked_with_the_reason() -> None:
    judged = decision(
        entry("orders"), Conclusion.WARN, blocking=(incident(1, entry("orders").urn),), rules=("override: known",)
    )
    overridden = report(judged, override=Override("known", "ana"))

    [event] = events_of(overridden, ALL, {})

    assert (event.kind, event.override) == (EventKind.BLOCKED, "Overridden by ana: known")
    assert [item.name for item in event.items] == ["orders"]
    assert affected_assets(overridden) == (entry("orders").urn.text,)
    assert events_of(report(unhealthy("orders")), ALL, {})[0].override == ""
