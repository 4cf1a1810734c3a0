"""What GitHub shows on the manifest's lines: safe, worst first, and no more than it keeps."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from incident_gate.action.runner import commands, masks
from incident_gate.datahub.graph.owners import Owner
from incident_gate.errors import RefusedError
from incident_gate.gate.policy import Conclusion, Excused
from incident_gate.gate.wait import Waited
from incident_gate.incident import Priority, Problem, Reason
from incident_gate.manifest.model import NOWHERE, InputEntry, ManifestError, Mistake, OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.annotations import Annotation, Level, annotate, annotate_error, annotate_mistakes
from tests.helpers.report_samples import (
    DAY,
    HOUR,
    NOW,
    decision,
    entry,
    everything,
    incident,
    missing,
    report,
    unhealthy,
)
from tests.helpers.runner_grammar import Seen, commands_in

hostile = st.text() | st.lists(
    st.sampled_from(
        ["::", "::error::", "\n", "\r", "%0A", "%", ",", ":", "##[error]", "\u2028", "\x85", "\ud800", " ", "a"]
    ),
).map("".join)


def printed(annotations: tuple[Annotation, ...]) -> list[Seen]:
    return commands_in("".join(f"{line}\n" for line in commands(annotations)))


@given(hostile, hostile, hostile)
def test_no_text_from_outside_makes_a_command_of_its_own(title: str, name: str, reason: str) -> None:
    of = entry("orders", 3, label=name)
    run = report(
        decision(
            of,
            Conclusion.BLOCK,
            blocking=(incident(1, of.urn, title=title, custom_type=title, type="CUSTOM"),),
            problems=(Problem(Reason.ERROR, reason, title),),
            excused=(Excused(incident(2, of.urn, title=name), reason),),
        ),
        manifest_path=name or "gate.yml",
        warnings=(Mistake(position=Position(7, 1), message=title, expected=reason),),
        notices=(reason or "notice",),
    )
    seen = printed(annotate(run))
    assert [command.name for command in seen] == ["error", "warning", "notice"]
    for command in seen:
        assert set(command.properties) <= {"title", "file", "line", "col"}
        assert all(command.properties.values())
    assert seen[0].properties.get("line", "3") == "3"


@given(hostile, hostile)
def test_what_ends_a_run_is_one_error(message: str, hint: str) -> None:
    seen = printed((annotate_error(RefusedError("No: " + message, hint=hint)),))
    assert [command.name for command in seen] == ["error"]
    assert seen[0].data.startswith("No:")


@given(st.lists(hostile))
def test_every_line_of_a_secret_is_masked(secrets: list[str]) -> None:
    seen = commands_in("".join(f"{line}\n" for line in masks(secrets)))
    assert {command.name for command in seen} <= {"add-mask"}
    lines = [line.strip() for secret in secrets for line in secret.splitlines() if line.strip()]
    assert [command.data for command in seen] == lines


def test_a_blocking_incident_is_an_error_on_its_line() -> None:
    run = report(unhealthy("orders", "Rows: 2, not 6", line=12, priority=Priority.HIGH, created_ms=NOW - 3 * HOUR))
    assert printed(annotate(run)) == [
        Seen(
            "error",
            "Rows: 2, not 6 (high · operational · open for 3 h)",
            {"title": "orders: 1 open incident", "file": ".github/incident-gate.yml", "line": "12", "col": "5"},
        ),
    ]


def test_an_unknown_asset_says_why_and_what_to_do() -> None:
    (annotation,) = annotate(report(missing("orders")))
    assert annotation.title == "orders: not found in DataHub"
    assert annotation.message == "Check the URN for a typing mistake, or ingest it first."
    problem = Problem(Reason.ERROR, "DataHub failed", "Set `on-unknown: warn`")
    (annotation,) = annotate(report(decision(entry("orders"), Conclusion.BLOCK, problems=(problem,))))
    assert annotation.message == "DataHub failed. Set on-unknown: warn."


def test_an_output_that_does_not_exist_is_a_warning_on_its_line() -> None:
    (annotation,) = annotate(report(missing_outputs=everything().missing_outputs))
    assert (annotation.level, annotation.line) == (Level.WARNING, 42)
    assert annotation.title == "analytics.public.orders_monthly: not in DataHub"
    assert annotation.message == "Ingest it first, or set on-unknown: warn."
    absent = OutputResult(
        everything().missing_outputs[0].entry, Change.CLEAR, hint="Ingest it.", absent=Reason.NOT_FOUND
    )
    (annotation,) = annotate(report(outcome=OutcomeReport("success", (absent,)), gated=False))
    assert (annotation.level, annotation.line) == (Level.WARNING, 42)
    assert annotation.title == "analytics.public.orders_monthly: not found in DataHub"


def test_what_is_not_in_the_file_has_no_place() -> None:
    of = InputEntry(entry("orders").urn, NOWHERE)
    seen = printed(annotate(report(decision(of, Conclusion.BLOCK, blocking=(incident(1, of.urn),)))))
    assert set(seen[0].properties) == {"title"}


def test_a_missing_manifest_is_annotated_with_what_to_do() -> None:
    error = ManifestError("gate.yml", (Mistake(NOWHERE, "there is no such file"),), hint="Create it:\ninputs:")
    (annotation,) = annotate_mistakes(error)
    assert (annotation.file, annotation.message) == ("", "gate.yml: there is no such file\nCreate it:\ninputs:")


def test_an_excused_incident_is_a_notice_with_its_reason() -> None:
    of = entry("orders")
    (annotation,) = annotate(
        report(decision(of, excused=(Excused(incident(1, of.urn, title="Late"), "ignored: move"),)))
    )
    assert (annotation.level, annotation.message) == (Level.NOTICE, "Does not count: Late (ignored: move)")


def test_a_healthy_run_has_no_annotation() -> None:
    fine = decision(entry("orders"))
    assert annotate(report(fine)) == ()
    (annotation,) = annotate(report(fine, waited=Waited(90, (unhealthy("orders"),))))
    assert annotation.message == "Waited 2 min for orders: 1 open incident."
    late = annotate(report(unhealthy("orders"), waited=Waited(90, (unhealthy("orders"),))))
    assert [one.level for one in late] == [Level.ERROR]


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_no_level_exceeds_what_the_runner_keeps(errors: int, warnings: int, notices: int) -> None:
    run = report(
        *(unhealthy(f"bad{n}") for n in range(errors)),
        *(missing(f"odd{n}", conclusion=Conclusion.WARN) for n in range(warnings)),
        notices=tuple(f"notice {n}" for n in range(notices)),
    )
    kept = annotate(run)
    counts = Counter(annotation.level for annotation in kept)
    for level, number in ((Level.ERROR, errors), (Level.WARNING, warnings), (Level.NOTICE, notices)):
        assert counts[level] == min(number, 10)
        if number > 9:
            last = [annotation for annotation in kept if annotation.level is level][-1]
            assert last.message == f"and {number - 9} more of this kind: see the job summary"


def test_the_worst_comes_first() -> None:
    run = report(
        missing("unknown"),
        unhealthy("none"),
        unhealthy("low", priority=Priority.LOW),
        unhealthy("young", priority=Priority.CRITICAL, created_ms=NOW - HOUR),
        unhealthy("old", priority=Priority.CRITICAL, created_ms=NOW - DAY),
        unhealthy("ageless", priority=Priority.CRITICAL),
        unhealthy("high", priority=Priority.HIGH, created_ms=NOW - 9 * DAY),
    )
    names = [annotation.title.partition(":")[0] for annotation in annotate(run)]
    assert names == ["old", "young", "ageless", "high", "low", "none", "unknown"]


def test_many_incidents_of_one_asset_stay_one_annotation_that_the_runner_does_not_cut() -> None:
    of = entry("orders")
    problems = tuple(Problem(Reason.ERROR, f"{n}" + "m" * 900, "h" * 900) for n in range(9))
    blocking = tuple(incident(n, of.urn, title="t" * 900) for n in range(5_000))
    (annotation,) = annotate(report(decision(of, Conclusion.BLOCK, blocking=blocking, problems=problems)))
    assert annotation.title == "orders: 5,000 open incidents"
    assert "4,995 more" in annotation.message
    assert len(annotation.message) == 4_000
    assert annotation.message.endswith("…")


def test_mistakes_are_errors_on_their_lines() -> None:
    mistakes = [Mistake(position=Position(n + 1, 3), message="unknown key `urm`", expected="`urn`") for n in range(12)]
    annotations = annotate_mistakes(ManifestError("gate.yml", tuple(mistakes)))
    assert len(annotations) == 10
    assert (annotations[1].file, annotations[1].line, annotations[1].col) == ("gate.yml", 2, 3)
    assert annotations[1].message == "unknown key `urm`; expected `urn`"
    assert annotations[9].message.startswith("and 3 more")


def test_an_output_that_could_not_be_written_is_a_warning() -> None:
    output = OutputEntry(urn=entry("daily").urn, position=Position(40, 5))
    failed = OutputResult(entry=output, change=Change.FAILED, message="No privilege.", hint="Give it.")
    annotations = annotate(report(outcome=OutcomeReport(outcome="failure", results=(failed,)), gated=False))
    # What the heading of the job summary says is not said again.
    assert [annotation.level for annotation in annotations] == [Level.WARNING]
    assert annotations[0].message == "No privilege. Give it."
    assert annotations[0].line == 40
    assert annotations[0].title == "daily: incident not written"


def test_a_step_that_had_nothing_to_do_is_one_notice() -> None:
    quiet = OutcomeReport(
        outcome="success", results=(OutputResult(everything().missing_outputs[0].entry, Change.CLEAR),)
    )
    (annotation,) = annotate(report(outcome=quiet, gated=False))
    assert (annotation.level, annotation.message) == (Level.NOTICE, "Job succeeded: nothing to resolve")
    (annotation,) = annotate(report(outcome=OutcomeReport("cancelled", nothing="It does not count."), gated=False))
    assert annotation.message == "Job was cancelled. It does not count."


def test_owners_are_named_also_where_an_incident_only_warns() -> None:
    of = entry("orders")
    warned = decision(of, Conclusion.WARN, blocking=(incident(1, of.urn, title="Late"),))
    (annotation,) = annotate(report(warned, owners={of.urn.text: (Owner("urn:li:corpuser:ana", "Ana"),)}))
    assert annotation.message == "Late (operational)\nOwned by Ana."


def test_a_property_without_a_value_is_left_out() -> None:
    (line,) = commands([Annotation(level=Level.NOTICE, message="m", line=3, col=4)])
    assert line == "::notice::m"
