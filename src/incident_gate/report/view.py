"""What every report shows: one list of sections, made once; the formats only differ in how they write a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote

from incident_gate.gate.policy import Conclusion, Decision, MissingOutput
from incident_gate.incident import Assertion, Incident, Reason
from incident_gate.manifest.model import NOWHERE, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.model import Report, worst_first
from incident_gate.text import count, plain

_MOST_ROWS = 1_000  # of one section: nobody reads further, and what comes below must stay within reach
_MOST_OF_ASSET = 50
NAMED = 5

# DataHub's own names for the pages of its entity types, where they are not the type's; and which list incidents.
_PAGES = {
    **{name: name for name in ("dataset", "chart", "dashboard", "container", "dataProduct", "domain", "glossaryTerm")},
    "dataJob": "tasks",
    "dataFlow": "pipelines",
    "mlFeature": "features",
    "mlFeatureTable": "featureTables",
    "mlModel": "mlModels",
    "mlModelGroup": "mlModelGroup",
    "mlPrimaryKey": "mlPrimaryKey",
}
_WITH_INCIDENTS = {"dataset", "chart", "dashboard", "dataJob", "dataFlow"}
_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"))
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
NOT_READ = {"NOT FOUND": "Not in DataHub", "REMOVED": "Removed from DataHub", "UNCHECKED": "Not checked"}
"""Why an asset itself is listed, by the tag of its row."""

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
    parts: list[tuple[SectionKind, Iterable[Row], int]] = []
    for kind, conclusion in ((SectionKind.BLOCKS, Conclusion.BLOCK), (SectionKind.WARNS, Conclusion.WARN)):
        found = [d for d in report.decisions if d.conclusion is conclusion and not report.is_unchecked(d)]
        rows = (row for decision in worst_first(found) for row in rows_of(report, decision))
        parts.append((kind, rows, sum(map(_number, found))))
    missing, outcome = report.missing_outputs, report.outcome
    results, causes = _shared_causes(report)
    excused = [(decision, excuse) for decision in report.decisions for excuse in decision.excused]
    remarks = (*outcome.warnings, *_unrelated(outcome)) if outcome else ()
    warnings = [Row(notes=(text,)) for text in (*causes, *remarks)]
    warnings += [Row(notes=(str(warning),), position=warning.position) for warning in report.warnings]
    parts += [
        (SectionKind.MISSING, map(_missing, missing), len(missing)),
        (SectionKind.OUTPUTS, (_output(report, result) for result in results), len(results)),
        (SectionKind.PASSED, (_item(report, d, excuse.item, excuse.reason) for d, excuse in excused), len(excused)),
        (SectionKind.WARNINGS, warnings, len(warnings)),
        (SectionKind.NOTICES, (Row(notes=(notice,)) for notice in report.notices), len(report.notices)),
    ]
    return tuple(Section(kind, tuple(islice(rows, _MOST_ROWS)), total) for kind, rows, total in parts if total)


def _number(decision: Decision) -> int:
    """How many rows an input has."""
    listed = len(decision.blocking) + len(decision.failing)
    more = listed > _MOST_OF_ASSET or decision.left_out > 0
    hidden = decision.unread > decision.left_out
    is_unknown = bool(decision.problems) or not decision.blocking_count
    return min(listed, _MOST_OF_ASSET) + more + hidden + is_unknown


def rows_of(report: Report, decision: Decision, most: int = _MOST_OF_ASSET) -> Iterator[Row]:
    """What is wrong with one input: incidents, failing assertions, and what could not be checked."""
    items: tuple[Incident | Assertion, ...] = (*decision.blocking, *decision.failing)
    yield from (_item(report, decision, item) for item in items[:most])
    start = _row(report, decision, decision.entry.urn.text)
    if left := max(len(items) - most, 0) + decision.left_out:
        yield start._replace(tag="INCIDENT", title=f"{left:,} more: open the asset in DataHub")
    if hidden := decision.unread - decision.left_out:
        title = f"{count(hidden, 'open incident')} that DataHub counts but does not show"
        yield start._replace(tag="INCIDENT", title=title)
    # An input that passes by its rule may still have something that could not be checked.
    if decision.problems or not decision.blocking_count:
        yield _unknown(start, decision)


def _row(report: Report, decision: Decision, asset: str) -> Row:
    entry = decision.entry
    return Row(
        page=incidents_page(report.ui_url, asset),
        asset=entry.label + (f" ({_sibling(asset)})" if asset != entry.urn.text else ""),
        facts=(f"selected by {entry.selected_by}",) if entry.selected_by else (),
        owners=_owners(report, asset) or _owners(report, entry.urn.text),
        position=entry.position,
        decision=decision,
    )


def _owners(report: Report, urn: str) -> tuple[str, ...]:
    return tuple(owner.name for owner in report.owners.get(urn, ())[:NAMED])


def _item(report: Report, decision: Decision, item: Incident | Assertion, *notes: str) -> Row:
    row, now_ms = _row(report, decision, item.asset), report.now_ms
    if isinstance(item, Assertion):
        ran = age(item.run_ms, now_ms)
        facts = [
            "failing assertion",
            _lasting("failing", item.since_ms, now_ms),
            f"last run {ran}{'' if ran == 'just now' else ' ago'}" if ran else "",
        ]
        row = row._replace(tag="ASSERTION", page=assertion_page(report.ui_url, item.asset, item.urn))
    else:
        stage = item.stage or ""
        facts = [
            _type(item),
            _lasting("open", item.created_ms, now_ms),
            _STAGES.get(stage, stage.replace("_", " ").lower()),
            f"assigned to {', '.join(item.assignees)}" if item.assignees else "",
        ]
        row = row._replace(tag="INCIDENT" if item.priority is None else item.priority.name)
    expired = (
        f"its ignore rule ended on {rule.until} (line {rule.position.line}): extend it"
        for rule in decision.entry.expired
        if rule.urn == item.urn
    )
    known = (*filter(None, facts), *row.facts, *expired)
    return row._replace(title=title_of(item), facts=known, urns=(item.urn,), notes=notes)


def _unknown(row: Row, decision: Decision) -> Row:
    entry, problems = decision.entry, decision.problems
    # That it is not found is in the tag. What a selector did not find, and an asset's two URNs, are in the message.
    is_said = not (entry.is_selector or entry.alternate_urns)
    notes: list[str] = []
    for problem in problems:
        notes += ["" if is_said and problem.reason is Reason.NOT_FOUND else problem.message, problem.hint]
    is_absent = problems and not entry.is_selector
    return row._replace(
        tag=ABSENT.get(problems[0].reason, _UNCHECKED).tag if is_absent else _UNCHECKED.tag,
        title=row.asset,
        page=None if any(problem.reason in _WITHOUT_PAGE for problem in problems) else row.page,
        asset="",
        urns=() if entry.is_selector else (entry.urn.text,),
        notes=tuple(dict.fromkeys(filter(None, notes))),
    )


def _missing(missing: MissingOutput) -> Row:
    entry, problem = missing
    tag, _ = ABSENT.get(problem.reason, _UNCHECKED)
    return Row(tag=tag, title=entry.label, urns=(entry.urn.text,), notes=(problem.hint,), position=entry.position)


def _output(report: Report, result: OutputResult) -> Row:
    entry, words = result.entry, ABSENT[result.absent] if result.absent else CHANGES[result.change]
    message = "" if result.absent else result.message
    # The job's status is in the headline, and a title may have the reason.
    reason = result.reason if result.by_results and result.reason not in result.title else ""
    return Row(
        tag=words.tag,
        title=result.title.removeprefix(f"{entry.label}: "),
        page=incidents_page(report.ui_url, entry.urn.text) if result.incidents else None,
        asset=entry.label,
        urns=result.incidents,
        notes=(f"{words.phrase}: {reason}" if reason else words.phrase, *filter(None, (message, result.hint))),
        details=result.failed,
        owners=_owners(report, entry.urn.text),
        position=entry.position,
        result=result,
    )


def _shared_causes(report: Report) -> tuple[list[OutputResult], list[str]]:
    """The results, the most important first, without causes of failure that several have, and these as remarks."""
    failed = Counter((r.message, r.hint) for r in report.results if r.change is Change.FAILED)
    shared = {cause: number for cause, number in failed.items() if number > 1}
    results = [
        r._replace(message="", hint="") if r.change is Change.FAILED and (r.message, r.hint) in shared else r
        for r in sorted(report.results, key=lambda result: list(CHANGES).index(result.change))
    ]
    return results, [f"{n:,} outputs could not be written. {message} {hint}" for (message, hint), n in shared.items()]


def _unrelated(outcome: OutcomeReport) -> Iterator[str]:
    """The failed checks that belong to no output."""
    if names := outcome.unrelated_failures:
        shown = ", ".join(f"`{plain(name, 200).replace('`', chr(39))}`" for name in names[:NAMED])
        more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        belong = "belongs" if len(names) == 1 else "belong"
        yield (
            f"{count(len(names), 'failed check')} {belong} to no output: {shown}{more}. "
            "To assign one, add a pattern of its name to `checks` of an output in the manifest."
        )


# Words


def title_of(item: Incident | Assertion) -> str:
    """A title where the item has any text that can be seen; untrusted text."""
    if isinstance(item, Assertion):
        return item.description or item.urn
    return next((text for text in (item.title, item.description) if text and plain(text)), "(no title)")


def unknown_words(decision: Decision) -> str:
    """Why an input is unknown: not found, removed, or not checked for any other reason."""
    reasons = {problem.reason for problem in decision.problems}
    if len(reasons) != 1 or decision.entry.is_selector:
        return _UNCHECKED.phrase
    return ABSENT.get(reasons.pop(), _UNCHECKED).phrase


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


def _type(incident: Incident) -> str:
    if incident.type in {None, "CUSTOM"} and incident.custom_type:
        return incident.custom_type
    return (incident.type or "").replace("_", " ").lower()


def age(created_ms: int | None, now_ms: int) -> str:
    """A duration in its largest unit: `12 min`, `3 h`, `2 d`; empty if unknown, which servers also write as 0."""
    if created_ms is None or created_ms <= 0:
        return ""
    passed = now_ms - created_ms
    return next((f"{passed // length} {unit}" for length, unit in _UNITS if passed >= length), "just now")


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


# Pages


def asset_page(ui_url: str | None, urn: str) -> str | None:
    """An asset's page, or None if there is no address to build it from."""
    page = _PAGES.get(_kind(urn))
    # A lone surrogate has no UTF-8 form: that page does not exist, but the report is still written.
    return f"{ui_url.rstrip('/')}/{page}/{quote(urn, safe='', errors='replace')}" if ui_url and page else None


def incidents_page(ui_url: str | None, urn: str) -> str | None:
    """The page that lists an asset's incidents, the asset's own page where there is none of incidents."""
    page = asset_page(ui_url, urn)
    return f"{page}/Incidents" if page and _kind(urn) in _WITH_INCIDENTS else page


def assertion_page(ui_url: str | None, asset: str, urn: str) -> str | None:
    """The page of an assertion, among those of its dataset."""
    page = asset_page(ui_url, asset)
    return f"{page}/Quality/List?assertion_urn={quote(urn, safe='', errors='replace')}" if page else None


def _kind(urn: str) -> str:
    return urn.removeprefix("urn:li:").partition(":")[0]
