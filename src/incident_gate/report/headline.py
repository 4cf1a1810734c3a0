"""The run in sentences: a headline, why it blocks, what was done on the outputs, and how to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from incident_gate.errors import RefusedError
from incident_gate.gate.policy import Conclusion, Decision, Verdict
from incident_gate.incident import Incident
from incident_gate.manifest.model import NOWHERE, OnUnknown
from incident_gate.outcome.result import Change, OutcomeReport
from incident_gate.report.model import Report
from incident_gate.report.view import CHANGES, DRY_RUN, NAMED, unknown_words
from incident_gate.text import count, plain

_JOBS = {
    "success": "Job succeeded",
    "failure": "Job failed",
    "cancelled": "Job was cancelled",
    "skipped": "Job was skipped",
    "": "Job ended with an unknown status",
}
_CONCLUSIONS = {Conclusion.BLOCK: "Blocked", Conclusion.WARN: "Passed with a warning", Conclusion.PASS: "Passed"}
QUIET = frozenset({Change.CLEAR, Change.UNTOUCHED})


def headline(report: Report) -> str:
    """The run in one line: what the gate decided, or what was done on the outputs."""
    if not report.gated:
        return outcome_line(report.outcome) if report.outcome else "Nothing to do"
    return f"{conclusion_word(report)}: {grounds(report)}"


# The gate


def conclusion_word(report: Report) -> str:
    """What the gate decided."""
    return "Passed by override" if report.is_overridden else _CONCLUSIONS[report.conclusion]


def grounds(report: Report, *, others: bool = True) -> str:
    """Why, as counts; the inputs that did not decide only with `others`."""
    deciding, total = report.deciding, count(len(report.decisions), "input")
    if not deciding:
        return _passed(report)
    if report.failure and report.nothing_checked:
        return f"{report.failure.message.rstrip('.')}, so no input was checked"
    parts = [f"{count(number, noun)} on {count(on, 'input')}" for noun, number, on in _numbers(deciding)]
    words = _unknown_words(deciding)
    if not parts and len(words) == 1:
        [(what, number)] = words.items()
        return f"{number:,} of {total} {what}"
    for what, number in words.items():
        parts.append(f"{count(number, 'input')} {what.removesuffix(' in DataHub').removesuffix(' from DataHub')}")
    if others and (fine := len(report.clear)):
        parts.append(f"{count(fine, 'input')} clear")
    return ", ".join([*parts, *(filter(None, (_only_warned(report), _uncounted(report))) if others else ())])


def sentence(report: Report) -> tuple[str, str]:
    """Why the gate blocks or warns, as a sentence, and another one about the inputs that did not decide."""
    if report.nothing_checked:
        return "", unchecked_line(report)
    deciding = report.deciding
    parts = []
    for noun, number, on in _numbers(deciding):
        article, name = ("an", f"open {noun}") if noun == "incident" else ("a", noun)
        what = f"{article} {name}" if number == on else count(number, name)
        parts.append((on, f"{'has' if on == 1 else 'have'} {what}"))
    for what, number in _unknown_words(deciding).items():
        parts.append((number, what if what.startswith("could") else f"{'was' if number == 1 else 'were'} {what}"))
    texts = [f"{f'{number:,}' if at else count(number, 'input')} {what}" for at, (number, what) in enumerate(parts)]
    return f"{', '.join(texts)}.", _rest(report, len(report.decisions) - len(deciding))


def _rest(report: Report, left: int) -> str:
    fine = len(report.clear)
    if left and left == fine:
        return "The other one is clear." if left == 1 else f"The other {left:,} are clear."
    are_clear = f"{fine:,} {'is' if fine == 1 else 'are'} clear" if fine else ""
    others = " and ".join(filter(None, (are_clear, _only_warned(report))))
    uncounted = _uncounted(report)
    return " ".join(filter(None, (others and f"Of the others, {others}.", uncounted and f"{uncounted}.")))


def _numbers(decisions: Sequence[Decision]) -> Iterator[tuple[str, int, int]]:
    """How many incidents and failing assertions count, and on how many inputs."""
    for noun, numbers in (
        ("incident", [d.incident_count for d in decisions]),
        ("failing assertion", [len(d.failing) for d in decisions]),
    ):
        if any(numbers):
            yield noun, sum(numbers), sum(map(bool, numbers))


def _unknown_words(decisions: Iterable[Decision]) -> Counter[str]:
    """How many inputs are unknown, by why. Beside an incident, the words say that there may be more."""
    return Counter(
        unknown_words(decision) if decision.verdict is Verdict.UNKNOWN else "could not be checked in full"
        for decision in decisions
        if _is_unknown(decision)
    )


def _is_unknown(decision: Decision) -> bool:
    return decision.verdict is Verdict.UNKNOWN or (bool(decision.problems) and decision.on_unknown is OnUnknown.BLOCK)


def _only_warned(report: Report) -> str:
    warned = sum(d.conclusion is Conclusion.WARN for d in report.decisions)
    is_told = warned and report.conclusion is Conclusion.BLOCK
    return f"{warned:,} only {'warns' if warned == 1 else 'warn'}" if is_told else ""


def _uncounted(report: Report) -> str:
    kinds = Counter(
        "incident" if isinstance(excuse.item, Incident) else "failing assertion"
        for d in report.decisions
        for excuse in d.excused
    )
    parts = [count(kinds[noun], noun) for noun in ("incident", "failing assertion") if kinds[noun]]
    return f"{' and '.join(parts)} {'does' if kinds.total() == 1 else 'do'} not count" if parts else ""


def passed_words(report: Report) -> str:
    """What does not count, and how many inputs are clear; for a fold."""
    fine = len(report.clear)
    words = f"{count(fine, 'input')} {'is' if fine == 1 else 'are'} clear" if fine else ""
    return ", ".join(filter(None, (words, _uncounted(report))))


def _passed(report: Report) -> str:
    if not report.decisions:
        return "the manifest names no inputs, so there is nothing to check"
    assertions = any(d.counts_assertions for d in report.decisions)
    total, excused = count(len(report.decisions), "input"), sum(len(d.excused) for d in report.decisions)
    if excused:
        what = "no open incident or failing assertion counts" if assertions else "no open incident counts"
        return f"{what} on {total} ({excused:,} {'does' if excused == 1 else 'do'} not count)"
    return f"no open incidents{' or failing assertions' if assertions else ''} on {total}"


def unchecked_line(report: Report) -> str:
    """How many inputs the failure leaves unchecked; empty if each is listed for a reason of its own."""
    number, total = len(report.unchecked), len(report.decisions)
    if number == total:
        return "The input is unchecked." if total == 1 else f"All {total:,} inputs are unchecked." if total else ""
    return f"{number:,} of {total:,} inputs {'is' if number == 1 else 'are'} unchecked." if number else ""


def override_lines(report: Report) -> list[str]:
    """Who overrode the gate and why, and what is wrong with that; empty where nobody did."""
    override = report.override
    return [text for text in (str(override), override.warning) if text] if override else []


def waited_line(report: Report) -> str:
    """How long the gate waited and for what; empty where it did not."""
    if report.waited is None:
        return ""
    return f"Waited {duration(report.waited.seconds)} for {pending_words(report.waited.decisions)}."


def duration(seconds: float) -> str:
    """A duration in words: `45 s`, `12 min`, `2 h 5 min`."""
    hours, minutes = divmod(round(seconds / 60), 60)
    if seconds < 90:  # noqa: PLR2004 - up to here, seconds are easier to read
        return f"{seconds:.0f} s"
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")))


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
    numbers = ((decision.incident_count, "open incident"), (len(decision.failing), "failing assertion"))
    return " and ".join(count(number, noun) for number, noun in numbers if number) or unknown_words(decision)


# The outputs


def outcome_line(outcome: OutcomeReport) -> str:
    """What was done on the outputs, in one line; first what the job's status is, unless that did not matter."""
    job = _JOBS.get(outcome.outcome) or f"Job ended with {plain(outcome.outcome, 40)}"
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
    numbers = Counter(CHANGES[result.change].phrase for result in outcome.results)
    return {words.phrase: numbers[words.phrase] for words in CHANGES.values() if numbers[words.phrase]}


def is_dry(outcome: OutcomeReport) -> bool:
    """Whether nothing was written because the run is a trial."""
    return any(CHANGES[result.change].tag == DRY_RUN for result in outcome.results)


def is_quiet(report: Report) -> bool:
    """Whether a step that reports an outcome changed nothing and has nothing to say but one line."""
    outcome = report.outcome
    return not report.gated and (
        outcome is None
        or bool(outcome.nothing)
        or (all(r.change in QUIET and not r.hint for r in outcome.results) and not outcome.warnings)
    )


# How to go on


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
    link = "re-run the failed jobs" if "/actions/runs/" in report.run.url else "run this job again"
    blocking, made = report.deciding, []
    if incidents := sum(d.incident_count for d in blocking):
        resolve = f"Have the incident{'' if incidents == 1 else 's'} resolved in DataHub, then "
        made.append(Step(f"{resolve}{{}}.", f"{resolve}run this again", link, report.run.url))
    if any(d.failing for d in blocking):
        prose = "Fix what the failing assertions show, then {}."
        made.append(Step(prose, "Fix the data, then run this again", link, report.run.url))
    if report.failure and report.failure.hint and report.unchecked:
        hint = report.failure.hint.rstrip(".")
        made.append(Step(f"{hint}. Then {{}}.", hint, link, report.run.url))
    is_refused = isinstance(report.failure, RefusedError)
    if found := [d for d in blocking if _is_unknown(d) and not report.is_unchecked(d)]:
        # A refusal would let every run pass, so `on-unknown` does not excuse it.
        rule = "" if is_refused else f", or {_on_unknown(report, found)}"
        text = f"An input that cannot be checked blocks. Fix it{rule}"
        made.append(Step(f"{text}.", text))
    if not is_refused:  # a wrong setting is corrected, not overridden
        option = report.override_option
        is_option = option.startswith("-")
        prose = f"add `{option} REASON`" if is_option else f"set `{option}` to a reason"
        made.append(
            Step(f"Only this run: {prose}.", f"To let this run pass, {prose.replace('`', '') if is_option else prose}")
        )
    return made


def _on_unknown(report: Report, unknown: Sequence[Decision]) -> str:
    """Where the rule for unknown inputs is set: what the settings name has no entry."""
    if any(d.entry.position != NOWHERE for d in unknown):
        return "set `on-unknown: warn` on its entry"
    option = report.override_option.replace("override", "on-unknown")
    return f"add `{option} warn`" if option.startswith("-") else f"set `{option}` to warn"
