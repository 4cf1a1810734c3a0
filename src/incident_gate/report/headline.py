"""The run in sentences: a headline, why it blocks, what was done on the outputs, and how to go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from incident_gate.errors import RefusedError
from incident_gate.gate.policy import Conclusion, Decision, Verdict
from incident_gate.incident import Incident
from incident_gate.manifest.model import NOWHERE, OnUnknown
from incident_gate.outcome.result import Change, OutcomeReport
from incident_gate.report.model import Report
from incident_gate.report.view import CHANGES, NAMED, clear, unchecked, unchecked_line, unknown_words
from incident_gate.report.words import count, duration
from incident_gate.text import plain

_JOBS = {"success": "Job succeeded", "failure": "Job failed", "": "Job ended with an unknown status"}
QUIET = frozenset({Change.CLEAR, Change.UNTOUCHED})
_DRY = frozenset({Change.WOULD_RAISE, Change.WOULD_KEEP, Change.WOULD_RESOLVE})


def headline(report: Report) -> str:
    """The run in one line: what the gate decided, or what was done on the outputs."""
    if not report.gated:
        return outcome_line(report.outcome) if report.outcome else "Nothing to do"
    return f"{conclusion_word(report)}: {grounds(report)}"


def conclusion_word(report: Report) -> str:
    """What the gate decided."""
    if report.override and report.override.effective:
        return "Passed by override"
    words = {Conclusion.BLOCK: "Blocked", Conclusion.WARN: "Passed with a warning", Conclusion.PASS: "Passed"}
    return words[report.conclusion]


def grounds(report: Report, *, others: bool = True) -> str:
    """Why, as counts; the inputs that did not decide only with `others`."""
    total, deciding = len(report.decisions), _deciding(report)
    if not deciding:
        return _passed(report)
    if report.failure and len(unchecked(report)) == total:
        return f"{report.failure.message.rstrip('.')}, so no input was checked"
    parts = [f"{count(number, noun)} on {count(on, 'input')}" for noun, number, on in _numbers(deciding)]
    words = _unknown_words(deciding)
    if not parts and len(words) == 1:
        [(what, number)] = words.items()
        return f"{number:,} of {count(total, 'input')} {what}"
    parts += [
        f"{count(number, 'input')} {what.removesuffix(' in DataHub').removesuffix(' from DataHub')}"
        for what, number in words.items()
    ]
    return ", ".join([*parts, *(_others(report) if others else ())])


def _numbers(decisions: Sequence[Decision]) -> Iterator[tuple[str, int, int]]:
    """How many incidents and failing assertions count, and on how many inputs."""
    for noun, numbers in (
        ("incident", [d.incident_count for d in decisions]),
        ("failing assertion", [len(d.failing) for d in decisions]),
    ):
        if any(numbers):
            yield noun, sum(numbers), sum(map(bool, numbers))


def sentence(report: Report) -> tuple[str, str]:
    """Why the gate blocks or warns, as a sentence, and another one about the inputs that did not decide."""
    deciding = _deciding(report)
    if report.failure and len(unchecked(report)) == len(report.decisions):
        return "", unchecked_line(report)
    parts = []
    for noun, number, on in _numbers(deciding):
        article, name = ("an", f"open {noun}") if noun == "incident" else ("a", noun)
        what = f"{article} {name}" if number == on else count(number, name)
        parts.append((on, "has" if on == 1 else "have", what))
    for what, number in _unknown_words(deciding).items():
        verb = "" if what.startswith("could") else "was" if number == 1 else "were"
        parts.append((number, verb, what))
    texts = [
        " ".join(filter(None, (f"{number:,}" if index else count(number, "input"), verb, what)))
        for index, (number, verb, what) in enumerate(parts)
    ]
    return f"{', '.join(texts)}.", _rest(report, len(deciding))


def _rest(report: Report, deciding: int) -> str:
    left = len(report.decisions) - deciding
    fine = len(clear(report))
    if left and left == fine:
        return "The other one is clear." if left == 1 else f"The other {left:,} are clear."
    are_clear = f"{fine:,} {'is' if fine == 1 else 'are'} clear" if fine else ""
    others = " and ".join(filter(None, (are_clear, _only_warned(report))))
    uncounted = _uncounted(report)
    return " ".join(filter(None, (f"Of the others, {others}." if others else "", f"{uncounted}." if uncounted else "")))


def _others(report: Report) -> Iterator[str]:
    """The inputs that did not decide, counted."""
    if fine := len(clear(report)):
        yield f"{count(fine, 'input')} clear"
    yield from filter(None, (_only_warned(report), _uncounted(report)))


def _only_warned(report: Report) -> str:
    warned = sum(d.conclusion is Conclusion.WARN for d in report.decisions)
    return (
        f"{warned:,} only {'warns' if warned == 1 else 'warn'}"
        if warned and report.conclusion is Conclusion.BLOCK
        else ""
    )


def _uncounted(report: Report) -> str:
    items = [excuse.item for d in report.decisions for excuse in d.excused]
    incidents = sum(isinstance(item, Incident) for item in items)
    parts = [
        count(number, noun)
        for number, noun in ((incidents, "incident"), (len(items) - incidents, "failing assertion"))
        if number
    ]
    return f"{' and '.join(parts)} {'does' if len(items) == 1 else 'do'} not count" if parts else ""


def passed_words(report: Report) -> str:
    """What does not count, and how many inputs are clear; for a fold."""
    fine = len(clear(report))
    words = f"{count(fine, 'input')} {'is' if fine == 1 else 'are'} clear" if fine else ""
    return ", ".join(filter(None, (words, _uncounted(report))))


def _deciding(report: Report) -> list[Decision]:
    conclusion = report.conclusion
    return [] if conclusion is Conclusion.PASS else [d for d in report.decisions if d.conclusion is conclusion]


def _is_unknown(decision: Decision) -> bool:
    return decision.verdict is Verdict.UNKNOWN or (bool(decision.problems) and decision.on_unknown is OnUnknown.BLOCK)


def _unknown_words(decisions: Iterable[Decision]) -> dict[str, int]:
    """How many inputs are unknown, by why."""
    numbers: dict[str, int] = {}
    for decision in decisions:
        if _is_unknown(decision):
            # Beside an incident, the words say that there may be more.
            words = unknown_words(decision) if decision.verdict is Verdict.UNKNOWN else "could not be checked in full"
            numbers[words] = numbers.get(words, 0) + 1
    return numbers


def _passed(report: Report) -> str:
    total = len(report.decisions)
    if not total:
        return "the manifest names no inputs, so there is nothing to check"
    assertions = any(d.counts_assertions for d in report.decisions)
    excused = sum(len(d.excused) for d in report.decisions)
    if excused:
        what = "no open incident or failing assertion counts" if assertions else "no open incident counts"
        return f"{what} on {count(total, 'input')} ({excused:,} {'does' if excused == 1 else 'do'} not count)"
    what = "no open incidents or failing assertions" if assertions else "no open incidents"
    return f"{what} on {count(total, 'input')}"


def outcome_line(outcome: OutcomeReport) -> str:
    """What was done on the outputs, in one line."""
    job = _JOBS.get(outcome.outcome) or f"Job ended with {plain(outcome.outcome, 40)}"
    if outcome.outcome in {"cancelled", "skipped"}:
        job = f"Job was {outcome.outcome}"
    if outcome.nothing:
        return plain(outcome.nothing) if outcome.on_request else f"{job}. {plain(outcome.nothing)}"
    numbers = change_numbers(outcome)
    done = ", ".join(f"{words} on {count(number, 'output')}" for words, number in numbers.items())
    if list(numbers) == ["nothing to resolve"]:
        done = "nothing to resolve"
    done = done or "no outputs to report on"
    if is_dry(outcome):
        dry = f"Dry run, nothing was written: {done}"
        return dry if outcome.on_request else f"{job}. {dry}"
    return done[0].upper() + done[1:] if outcome.on_request else f"{job}: {done}"


def change_numbers(outcome: OutcomeReport) -> dict[str, int]:
    """How many outputs have each change, the most important first."""
    numbers: dict[str, int] = {}
    for change, words in CHANGES.items():
        if number := sum(result.change is change for result in outcome.results):
            numbers[words.phrase] = numbers.get(words.phrase, 0) + number
    return numbers


def is_dry(outcome: OutcomeReport) -> bool:
    """Whether nothing was written because the run is a trial."""
    return any(result.change in _DRY for result in outcome.results)


def is_quiet(report: Report) -> bool:
    """Whether a step that reports an outcome changed nothing and has nothing to say but one line."""
    outcome = report.outcome
    return not report.gated and (
        outcome is None
        or bool(outcome.nothing)
        or (all(r.change in QUIET and not r.hint for r in outcome.results) and not outcome.warnings)
    )


def override_lines(report: Report) -> list[str]:
    """Who overrode the gate and why, and what is wrong with that; empty where nobody did."""
    override = report.override
    return [text for text in (str(override), override.warning) if text] if override else []


def waited_line(report: Report) -> str:
    """How long the gate waited and for what; empty where it did not."""
    if report.waited is None:
        return ""
    return f"Waited {duration(report.waited.seconds)} for {pending_words(report.waited.decisions)}."


def pending_words(decisions: Sequence[Decision]) -> str:
    """The inputs that are waited for, and what is wrong with each."""
    if len(decisions) == 1:
        return f"{plain(decisions[0].entry.label, 80)}: {state_words(decisions[0])}"
    shown = ", ".join(f"{plain(d.entry.label, 80)} ({state_words(d)})" for d in decisions[:NAMED])
    more = f" and {len(decisions) - NAMED:,} more" if len(decisions) > NAMED else ""
    return f"{count(len(decisions), 'input')}: {shown}{more}"


def state_words(decision: Decision) -> str:
    """What is wrong with an input, in a few words."""
    if decision.conclusion is Conclusion.PASS:
        return "passes, not yet for long enough"
    number, failing = decision.incident_count, len(decision.failing)
    words = [count(number, "open incident")] if number else []
    words += [count(failing, "failing assertion")] if failing else []
    return " and ".join(words) or unknown_words(decision)


class Step(NamedTuple):
    """How to go on: a sentence for the summary, with a link in the place of `{}`, and the same for a terminal."""

    prose: str
    help: str
    link: str = ""
    url: str = ""


def steps(report: Report) -> list[Step]:
    """How a person goes on from a blocked run: only what applies."""
    if report.conclusion is not Conclusion.BLOCK:
        return []
    blocking, alike = _deciding(report), {id(decision) for decision in unchecked(report)}
    made = []
    again = "run this again"
    if any(d.incident_count for d in blocking):
        one = sum(d.incident_count for d in blocking) == 1
        resolve = f"Have the incident{'' if one else 's'} resolved in DataHub, then "
        made.append(_again(report, resolve, f"{resolve}{again}"))
    if any(d.failing for d in blocking):
        made.append(_again(report, "Fix what the failing assertions show, then ", f"Fix the data, then {again}"))
    if alike and report.failure and report.failure.hint:
        hint = report.failure.hint.rstrip(".")
        made.append(_again(report, f"{hint}. Then ", hint))
    is_refused = isinstance(report.failure, RefusedError)
    if found := [d for d in blocking if _is_unknown(d) and id(d) not in alike]:
        # A refusal would let every run pass, so `on-unknown` does not excuse it.
        rule = "" if is_refused else f", or {_on_unknown(report, found)}"
        text = f"An input that cannot be checked blocks. Fix it{rule}"
        made.append(Step(f"{text}.", text))
    if is_refused:
        return made  # a wrong setting is corrected, not overridden
    option = report.override_option
    if option.startswith("-"):
        prose, text = f"add `{option} REASON`", f"add {option} REASON"
    else:
        prose = text = f"set `{option}` to a reason"
    return [*made, Step(f"Only this run: {prose}.", f"To let this run pass, {text}")]


def _on_unknown(report: Report, unknown: Sequence[Decision]) -> str:
    """Where the rule for unknown inputs is set: what the settings name has no entry."""
    if any(d.entry.position != NOWHERE for d in unknown):
        return "set `on-unknown: warn` on its entry"
    option = report.override_option.replace("override", "on-unknown")
    return f"add `{option} warn`" if option.startswith("-") else f"set `{option}` to warn"


def _again(report: Report, prose: str, text: str) -> Step:
    on_github = "/actions/runs/" in report.run.url
    link = "re-run the failed jobs" if on_github else "run this job again"
    return Step(f"{prose}{{}}.", text, link, report.run.url)
