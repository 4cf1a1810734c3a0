"""What every report shows: one list of sections, made once; the formats only differ in how they write a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from incident_gate.gate.policy import Conclusion, Decision, Verdict
from incident_gate.incident import Assertion, Incident, Priority, Problem, Reason, severity
from incident_gate.manifest.model import NOWHERE, OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.model import Report
from incident_gate.report.words import age, assertion_page, count, incidents_page
from incident_gate.text import plain

_MOST_ROWS = 1_000  # of one section: nobody reads further, and what comes below must stay within reach
_MOST_OF_ASSET = 50
NAMED = 5

_STAGES = {"TRIAGE": "in triage", "INVESTIGATION": "investigating", "WORK_IN_PROGRESS": "work in progress"}
# These have no page in DataHub that this token could open.
_WITHOUT_PAGE = {Reason.NOT_FOUND, Reason.REMOVED, Reason.HIDDEN}


class Words(NamedTuple):
    """What happened to an asset: its tag in the terminal, and a phrase; of a change, `on 1 output` may follow it."""

    tag: str
    phrase: str


ABSENT = {
    Reason.NOT_FOUND: Words("NOT FOUND", "not found in DataHub"),
    Reason.REMOVED: Words("REMOVED", "removed from DataHub"),
}
_UNCHECKED = Words("UNCHECKED", "could not be checked")
DRY_RUN = "DRY RUN"
CHANGES = {
    Change.RAISED: Words("RAISED", "incident raised"),
    Change.FAILED: Words("FAILED", "incident not written"),
    Change.KEPT: Words("OPEN", "incident still open"),
    Change.LEFT: Words("OPEN", "incident still open"),
    Change.WOULD_RAISE: Words(DRY_RUN, "would raise an incident"),
    Change.WOULD_KEEP: Words(DRY_RUN, "would update the incident"),
    Change.WOULD_RESOLVE: Words(DRY_RUN, "would resolve the incident"),
    Change.RESOLVED: Words("RESOLVED", "incident resolved"),
    Change.UNTOUCHED: Words("NO CHANGE", "no change"),
    Change.CLEAR: Words("CLEAR", "nothing to resolve"),
}
"""The most important first: a heading names one."""


class SectionKind(StrEnum):
    """What a section holds."""

    BLOCKS = "blocks"
    WARNS = "warns"
    MISSING = "missing"
    OUTPUTS = "outputs"
    PASSED = "passed"
    WARNINGS = "warnings"
    NOTICES = "notices"


class Row(NamedTuple):
    """One thing to report. All text is untrusted but `tag` and `notes`, in which `code` is between backticks.

    `title` is what it is, with its `page`; `asset` is what it is on, empty where the title is the asset's name. `urns`
    are shown whole. `details` are names and messages of failed checks. `result` is that of an output.
    """

    tag: str = ""
    title: str = ""
    page: str | None = None
    asset: str = ""
    facts: tuple[str, ...] = ()
    urns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    owners: tuple[str, ...] = ()
    position: Position = NOWHERE
    decision: Decision | None = None
    result: OutputResult | None = None

    @property
    def is_asset(self) -> bool:
        """Whether an asset itself is what is reported, because it was not found or not checked."""
        return not self.asset

    @property
    def points_to_manifest(self) -> bool:
        """Whether the manifest's line is shown, because it may be wrong."""
        return self.is_asset or (self.result is not None and (self.tag == "FAILED" or self.result.absent is not None))

    @property
    def priority(self) -> str:
        """The incident's priority in small letters; empty if it has none."""
        return "" if self.is_asset or self.result or self.tag in {"INCIDENT", "ASSERTION"} else self.tag.lower()


class Section(NamedTuple):
    """Rows of one kind, the most severe first; `total` counts those that are left out as well."""

    kind: SectionKind
    rows: tuple[Row, ...]
    total: int


def sections(report: Report) -> tuple[Section, ...]:
    """Everything that deserves a line of its own; sections without rows are left out."""
    alike = {id(decision) for decision in unchecked(report)}
    found = []
    for kind, conclusion in ((SectionKind.BLOCKS, Conclusion.BLOCK), (SectionKind.WARNS, Conclusion.WARN)):
        decisions = [d for d in report.decisions if d.conclusion is conclusion and id(d) not in alike]
        # An input that passes by its rule may still have something that could not be checked.
        rows = (row for decision in worst_first(decisions) for row in rows_of(report, decision))
        found.append(_section(kind, rows, sum(_number(decision) for decision in decisions)))
    missing = report.missing_outputs
    found.append(_section(SectionKind.MISSING, (_missing(m.entry, m.problem) for m in missing), len(missing)))
    if report.outcome:
        results = sorted(report.outcome.results, key=lambda result: list(CHANGES).index(result.change))
        found.append(_section(SectionKind.OUTPUTS, (_output(report, result) for result in results), len(results)))
    passed = [d for d in report.decisions if d.excused]
    rows = (row for decision in passed for row in _excused(report, decision))
    found.append(_section(SectionKind.PASSED, rows, sum(len(decision.excused) for decision in passed)))
    remarks = [*report.outcome.warnings, *_unrelated(report.outcome)] if report.outcome else []
    warnings = [Row(notes=(text,)) for text in remarks]
    warnings += [Row(notes=(str(warning),), position=warning.position) for warning in report.warnings]
    found.append(_section(SectionKind.WARNINGS, iter(warnings), len(warnings)))
    notices = report.notices
    found.append(_section(SectionKind.NOTICES, (Row(notes=(notice,)) for notice in notices), len(notices)))
    return tuple(section for section in found if section.total)


def _section(kind: SectionKind, rows: Iterator[Row], total: int) -> Section:
    shown = tuple(islice(rows, _MOST_ROWS))
    return Section(kind, shown, total)


def _number(decision: Decision) -> int:
    """How many rows an input has."""
    listed = len(decision.blocking) + len(decision.failing)
    more = listed > _MOST_OF_ASSET or decision.left_out > 0
    hidden = decision.unread > decision.left_out
    is_unknown = bool(decision.problems) or not decision.blocking_count
    return min(listed, _MOST_OF_ASSET) + more + hidden + is_unknown


def worst_first(decisions: Iterable[Decision]) -> list[Decision]:
    """Inputs in the order of their most severe incident; those with failing assertions and unknown ones come last."""

    def rank(decision: Decision) -> tuple[int, int]:
        if decision.blocking:
            return severity(decision.blocking[0])
        last = len(Priority) + 1
        return (last, 0) if decision.failing else (last + 1, 0) if decision.unread else (last + 2, 0)

    return sorted(decisions, key=rank)


def rows_of(report: Report, decision: Decision, most: int = _MOST_OF_ASSET) -> Iterator[Row]:
    """What is wrong with one input: incidents, failing assertions, and what could not be checked."""
    blocking, failing = decision.blocking[:most], decision.failing[: max(most - len(decision.blocking), 0)]
    yield from (_incident(report, decision, incident) for incident in blocking)
    yield from (_assertion(report, decision, assertion) for assertion in failing)
    start = _row(report, decision, decision.entry.urn.text)
    left = len(decision.blocking) + len(decision.failing) - len(blocking) - len(failing) + decision.left_out
    if left:
        yield start._replace(tag="INCIDENT", title=f"{left:,} more: open the asset in DataHub")
    if hidden := decision.unread - decision.left_out:
        title = f"{count(hidden, 'open incident')} that DataHub counts but does not show"
        yield start._replace(tag="INCIDENT", title=title)
    if decision.problems or not decision.blocking_count:
        yield _unknown(report, decision)


def _row(report: Report, decision: Decision, asset: str) -> Row:
    entry = decision.entry
    owners = report.owners.get(asset) or report.owners.get(entry.urn.text) or ()
    return Row(
        page=incidents_page(report.ui_url, asset),
        asset=entry.label + (f" ({_sibling(asset)})" if asset != entry.urn.text else ""),
        facts=(f"selected by {entry.selected_by}",) if entry.selected_by else (),
        owners=tuple(owner.name for owner in owners[:NAMED]),
        position=entry.position,
        decision=decision,
    )


def _incident(report: Report, decision: Decision, incident: Incident) -> Row:
    row = _row(report, decision, incident.asset)
    assigned = f"assigned to {', '.join(incident.assignees)}" if incident.assignees else ""
    stage = incident.stage or ""
    facts = (
        _type(incident),
        _lasting("open", incident.created_ms, report.now_ms),
        _STAGES.get(stage, stage.replace("_", " ").lower()),
        assigned,
    )
    return row._replace(
        tag="INCIDENT" if incident.priority is None else incident.priority.name,
        title=title_of(incident),
        facts=(*(fact for fact in facts if fact), *row.facts, *_expired(decision, incident.urn)),
        urns=(incident.urn,),
    )


def _expired(decision: Decision, urn: str) -> Iterator[str]:
    for rule in decision.entry.expired:
        if rule.urn == urn:
            yield f"its ignore rule ended on {rule.until} (line {rule.position.line}): extend it"


def _assertion(report: Report, decision: Decision, assertion: Assertion) -> Row:
    row = _row(report, decision, assertion.asset)
    ran = age(assertion.run_ms, report.now_ms)
    facts = (
        "failing assertion",
        _lasting("failing", assertion.since_ms, report.now_ms),
        f"last run {ran}{'' if ran == 'just now' else ' ago'}" if ran else "",
    )
    return row._replace(
        tag="ASSERTION",
        title=title_of(assertion),
        page=assertion_page(report.ui_url, assertion.asset, assertion.urn),
        facts=(*(fact for fact in facts if fact), *row.facts, *_expired(decision, assertion.urn)),
        urns=(assertion.urn,),
    )


def _unknown(report: Report, decision: Decision) -> Row:
    row = _row(report, decision, decision.entry.urn.text)
    entry, problems = decision.entry, decision.problems
    # That it is not found is in the tag. What a selector did not find, and an asset's two URNs, are in the message.
    is_said = not (entry.is_selector or entry.alternate_urns)
    notes: list[str] = []
    for problem in problems:
        notes += ["" if is_said and problem.reason is Reason.NOT_FOUND else problem.message, problem.hint]
    absent = {} if entry.is_selector else ABSENT
    tags = [absent.get(problem.reason, _UNCHECKED).tag for problem in problems] or [_UNCHECKED.tag]
    return row._replace(
        tag=tags[0],
        title=row.asset,
        page=None if any(problem.reason in _WITHOUT_PAGE for problem in problems) else row.page,
        asset="",
        urns=() if entry.is_selector else (entry.urn.text,),
        notes=tuple(dict.fromkeys(filter(None, notes))),
    )


def _missing(entry: OutputEntry, problem: Problem) -> Row:
    tag, _ = ABSENT.get(problem.reason, _UNCHECKED)
    return Row(tag=tag, title=entry.label, urns=(entry.urn.text,), notes=(problem.hint,), position=entry.position)


def _excused(report: Report, decision: Decision) -> Iterator[Row]:
    for excuse in decision.excused:
        item = excuse.item
        row = _incident(report, decision, item) if isinstance(item, Incident) else _assertion(report, decision, item)
        yield row._replace(notes=(excuse.reason,))


def _output(report: Report, result: OutputResult) -> Row:
    urn = result.entry.urn.text
    words = ABSENT[result.absent] if result.absent else CHANGES[result.change]
    message = "" if result.absent else result.message
    # The job's status is in the headline, and a title may have the reason.
    reason = result.reason if result.by_results and result.reason not in result.title else ""
    return Row(
        tag=words.tag,
        title=result.title.removeprefix(f"{result.entry.label}: "),
        page=incidents_page(report.ui_url, urn) if result.incidents else None,
        asset=result.entry.label,
        urns=result.incidents,
        notes=(f"{words.phrase}: {reason}" if reason else words.phrase, *filter(None, (message, result.hint))),
        details=result.failed,
        owners=tuple(owner.name for owner in report.owners.get(urn, ())[:NAMED]),
        position=result.entry.position,
        result=result,
    )


def title_of(item: Incident | Assertion) -> str:
    """A title where the item has any text that can be seen; untrusted text."""
    if isinstance(item, Assertion):
        return item.description or item.urn
    return next((text for text in (item.title, item.description) if text and plain(text)), "(no title)")


def _type(incident: Incident) -> str:
    if incident.type in {None, "CUSTOM"} and incident.custom_type:
        return incident.custom_type
    return (incident.type or "").replace("_", " ").lower()


def _lasting(word: str, since_ms: int | None, now_ms: int) -> str:
    lasted = age(since_ms, now_ms)
    return f"{word} for {lasted}" if lasted and lasted != "just now" else ""


def _sibling(urn: str) -> str:
    """What an asset is that shares the entry's incidents and is known only by its URN; untrusted text."""
    start = "urn:li:dataset:(urn:li:dataPlatform:"
    platform, _, rest = urn.removeprefix(start).removesuffix(")").partition(",")
    name = rest.rpartition(",")[0]
    if not urn.startswith(start) or not name:
        return f"its sibling {urn}"
    return f"its {'model' if platform == 'dbt' else 'table'} {platform} {name}"


def unchecked(report: Report) -> list[Decision]:
    """The inputs that are unknown only because the requests failed: one cause, reported once."""
    if report.failure is None:
        return []
    return [
        d for d in report.decisions if d.problems and not d.blocking_count and {p.reason for p in d.problems} == _SILENT
    ]


_SILENT = {Reason.NO_ANSWER}


def unchecked_line(report: Report) -> str:
    """How many inputs the failure leaves unchecked; empty if each is listed for a reason of its own."""
    number, total = len(unchecked(report)), len(report.decisions)
    if number == total:
        return "The input is unchecked." if total == 1 else f"All {total:,} inputs are unchecked." if total else ""
    return f"{number:,} of {total:,} inputs {'is' if number == 1 else 'are'} unchecked." if number else ""


def unknown_words(decision: Decision) -> str:
    """Why an input is unknown: not found, removed, or not checked for any other reason."""
    reasons = {problem.reason for problem in decision.problems}
    if len(reasons) != 1 or decision.entry.is_selector:
        return _UNCHECKED.phrase
    return ABSENT.get(next(iter(reasons)), _UNCHECKED).phrase


def deciding_rules(decision: Decision) -> list[str]:
    """The rules that made a difference for an input."""
    decided = {"override", *(excuse.rule for excuse in decision.excused)}
    if decision.incident_count:
        decided.add("on-incident")
    if decision.failing:
        decided.add("on-failing-assertion")
    if decision.problems:
        decided.add("on-unknown")
    return [rule for rule in decision.rules if rule.partition(":")[0] in decided]


def clear(report: Report) -> list[Decision]:
    """The inputs without any open incident."""
    return [d for d in report.decisions if d.verdict is Verdict.HEALTHY and not d.excused]


def _unrelated(outcome: OutcomeReport) -> Iterator[str]:
    """The failed checks that belong to no output."""
    names = outcome.unrelated_failures
    if names:
        shown = ", ".join(f"`{plain(name, 200).replace('`', chr(39))}`" for name in names[:NAMED])
        more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        belong = "belongs" if len(names) == 1 else "belong"
        yield (
            f"{count(len(names), 'failed check')} {belong} to no output: {shown}{more}. "
            "To assign one, add a pattern of its name to `checks` of an output in the manifest."
        )


def affected_assets(report: Report) -> tuple[str, ...]:
    """The assets that block, warn, or whose incident was raised or resolved: those whose owners matter."""
    found = worst_first(d for d in report.decisions if d.conclusion is not Conclusion.PASS and not d.entry.is_selector)
    found.sort(key=lambda decision: decision.conclusion is not Conclusion.BLOCK)
    results = report.outcome.results if report.outcome else ()
    changed = (result.entry.urn.text for result in results if result.raised or result.resolved)
    return tuple(dict.fromkeys((*(d.entry.urn.text for d in found), *changed)))


def events_of(report: Report) -> tuple[str, ...]:
    """What happened, in the words of `notify-on`. An incident that is still open is not announced again."""
    results = report.outcome.results if report.outcome else ()
    happened = {
        "raised": any(result.raised for result in results),
        "resolved": any(result.resolved for result in results),
        "blocked": report.conclusion is Conclusion.BLOCK or bool(report.override and report.override.effective),
    }
    return tuple(event for event, did in happened.items() if did)


def place(report: Report, position: Position) -> str:
    """A place in the manifest as editors and terminals know it; empty for what the settings name."""
    return "" if position == NOWHERE else f"{report.manifest_path}:{position.line}:{position.column}"


def place_url(report: Report, position: Position) -> str | None:
    """The manifest's line on the page of the repository; None where there is no such page."""
    run, path = report.run, report.manifest_path
    if position == NOWHERE or not run.commit or path.startswith(("/", "~", "..")):
        return None
    for pages, blob in (("/actions/runs/", "/blob/"), ("/-/", "/-/blob/")):
        base, marker, _ = run.url.partition(pages)
        if marker:
            return f"{base}{blob}{run.commit}/{path}#L{position.line}"
    return None
