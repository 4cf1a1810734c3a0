"""The outcome of each output: a pure function of results, the dbt projects and the job's status."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Any

from incident_gate.errors import Hint
from incident_gate.incident import Cause
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.result import JOB_FAILED, JOB_SUCCEEDED, Effect, Evaluation, OutputDecision
from incident_gate.outcome.results import dbt
from incident_gate.outcome.results.dbt import OutputNodes, Projects
from incident_gate.outcome.results.model import CheckStatus, FileResults, ReportedResult, ResultKind
from incident_gate.text import NO_SECRETS, Redactor, code_span, quote


def evaluate(
    outputs: Sequence[OutputEntry],
    files: Sequence[FileResults],
    projects: Projects,
    *,
    job_failed: bool,
    redact: Redactor = NO_SECRETS,
) -> Evaluation:
    """Decide about each output. Secrets are replaced only in what is shown: names relate checks to outputs."""
    patterns = [pattern for output in outputs for pattern in output.checks]
    nodes = projects.behind([_urns(output) for output in outputs])
    # Results in whose projects no output is found are of another project, or the outputs' URNs are mistyped.
    known = projects if any(behind.nodes for behind in nodes) else Projects()
    files = [_of_known_project(file, known, patterns) for file in _without_copies(files)]
    of_dbt = {result.name for file in files if file.format == dbt.NAME for result in file.results}
    results = _latest(files, of_dbt)
    relations = _Relations(results)
    places = [relations.of(output, behind) for output, behind in zip(outputs, nodes, strict=True)]
    belonging = frozenset().union(*places)
    # What belongs to no check explains the job's failure only where it belongs to an output.
    bad = [
        one
        for place, one in enumerate(results)
        if one.status.is_bad and (one.kind is not ResultKind.STRAY or place in belonging)
    ]
    job = _Job(failed=job_failed, explained=bool(bad), incomplete=any(file.problem for file in files))
    others = [one for place, one in enumerate(results) if one.kind is ResultKind.CHECK and place not in belonging]
    related = [[projects.typed(results[p]) for p in sorted(own, key=lambda p: results[p].name)] for own in places]
    decisions = tuple(_decide(each, behind, job, redact) for each, behind in zip(related, nodes, strict=True))
    skipped = [output.label for output, each in zip(outputs, related, strict=True) if any(map(_is_skipped, each))]
    # Nodes first: they are what others are built from.
    blamed = sorted((one for one in bad if one.name in of_dbt), key=lambda one: one.kind is ResultKind.CHECK)
    warnings = (
        *_file_warnings(files),
        *_skip_warning(skipped, blamed),
        *_job_warning(job, decisions),
    )
    return Evaluation(
        decisions=decisions,
        unrelated=len(others),
        unrelated_failed=tuple(redact(check.name) for check in others if check.status.is_bad),
        warnings=tuple(_redacted(warning, redact) for warning in warnings),
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """How the job ended, whether a result explains a failure, and whether a file could not be used."""

    failed: bool
    explained: bool
    incomplete: bool


def _is_skipped(result: ReportedResult) -> bool:
    return result.kind is ResultKind.BUILD and result.status is CheckStatus.SKIPPED


def _urns(output: OutputEntry) -> set[str]:
    return {output.urn.text, *(urn.text for urn in output.alternate_urns)}


def _without_copies(files: Iterable[FileResults]) -> list[FileResults]:
    """Each file once: teams copy dbt's file after each command, and the last one is still there."""
    found: dict[Any, FileResults] = {}
    for file in files:
        found.setdefault((file.format, file.time, file.written, file.results) if file.format else file.path, file)
    return list(found.values())


def _of_known_project(file: FileResults, known: Projects, patterns: Sequence[str]) -> FileResults:
    """A file of dbt whose project is not known proves nothing."""
    own = [result for result in file.results if result.kind in {ResultKind.BUILD, ResultKind.CHECK}]
    if file.format != dbt.NAME or not own:
        return file
    named = matching(sorted(result.name for result in own if result.kind is ResultKind.CHECK), patterns)
    unknown = [result for result in own if result.name not in named and not known.know(result.name)]
    if len(unknown) == len(own):
        problem = "is of a dbt project to which no output belongs, or whose manifest.json is not known"
        return replace(file, results=(), problem=problem)
    bad = [result.name for result in unknown if result.status.is_bad]
    if bad and known.projects:
        problem = f"has a failure that manifest.json does not know ({quote(bad[0])}): the two are of different runs"
        return replace(file, problem=file.problem or problem)
    return file


def _latest(files: Sequence[FileResults], of_dbt: Collection[str]) -> list[ReportedResult]:
    """The latest result of each check and build: of those in one file or of one time, every one."""
    found: dict[tuple[Any, ...], list[tuple[FileResults, ReportedResult]]] = {}
    for file in files:
        for result in file.results:
            # A converter's JUnit of dbt's results turns warnings into failures.
            if file.format == dbt.NAME or result.name not in of_dbt:
                key = (file.format, result.kind, result.name, *result.identity)
                found.setdefault(key, []).append((file, result))
    return [result for group in found.values() for result in _latest_of(group)]


def _latest_of(group: Sequence[tuple[FileResults, ReportedResult]]) -> Iterable[ReportedResult]:
    # Local times are compared with each other as they are written.
    is_local = all(file.written and not file.written.has_zone for file, _ in group)
    times = [file.written.seconds if is_local and file.written else file.time for file, _ in group]
    last = max(times)
    for (file, result), time in zip(group, times, strict=True):
        if time == last:
            is_unproven = result.status is CheckStatus.PASSED and (file.problem or file.stray)
            yield result._replace(status=CheckStatus.UNPROVEN) if is_unproven else result


class _Relations:
    """Finds what belongs to an output, each result by its place."""

    def __init__(self, results: Sequence[ReportedResult]) -> None:
        self._by_name: dict[str, list[int]] = {}
        self._by_urn: dict[str, list[int]] = {}
        for place, result in enumerate(results):
            self._by_name.setdefault(result.name, []).append(place)
            for urn in result.urns:
                self._by_urn.setdefault(urn, []).append(place)
        self._strays = {result.name for result in results if result.kind is ResultKind.STRAY}
        self._names = sorted({one.name for one in results if one.kind is ResultKind.CHECK} | self._strays)

    def of(self, output: OutputEntry, behind: OutputNodes) -> frozenset[int]:
        names = matching(self._names, output.checks)
        for pattern in output.checks:
            # What failed around checks counts as all of them.
            compiled = _compiled(pattern)
            names |= {n for n in self._strays if compiled.fullmatch(f"{n}.") or (n and pattern.startswith(f"{n}."))}
        names |= (behind.nodes | behind.checks) & self._by_name.keys()
        found = (self._by_name[name] for name in names)
        return frozenset().union(*found, *(self._by_urn.get(urn, ()) for urn in _urns(output)))


def _decide(related: Sequence[ReportedResult], behind: OutputNodes, job: _Job, redact: Redactor) -> OutputDecision:
    bad = [result for result in related if result.status.is_bad]
    if bad:
        return _failure(related, bad, redact)
    # A file that could not be used may have explained the failure of what the others do not mention.
    if job.failed and (not job.explained or (job.incomplete and not related)):
        return JOB_FAILED._replace(reason="the job failed")
    if related:
        return _success(related, behind, job)
    if job.incomplete:
        return JOB_SUCCEEDED._replace(reason="the job succeeded", answers=frozenset({Cause.JOB}))
    return OutputDecision(Effect.NOTHING, reason="not in the result files")


def _failure(related: Sequence[ReportedResult], bad: Sequence[ReportedResult], redact: Redactor) -> OutputDecision:
    builds = [result for result in bad if result.kind is ResultKind.BUILD]
    checks = [result for result in bad if result.kind is not ResultKind.BUILD]
    passed = (CheckStatus.PASSED, CheckStatus.UNPROVEN)
    count = sum(r.status in passed and r.kind is ResultKind.CHECK for r in related) + len(checks)
    parts = ["its build failed"] if builds else []
    if checks:
        parts.append(f"{len(checks):,} of {count:,} checks failed")
    types = {check.type for check in checks}
    headline = " and ".join(parts)
    return OutputDecision(
        Effect.RAISE,
        reason=headline,
        # The stricter one where both failed: a later build alone does not answer the checks.
        cause=Cause.CHECKS if checks else Cause.BUILD,
        headline=headline,
        failed=tuple(result._replace(name=redact(result.name)) for result in (*builds, *checks)),
        type=types.pop() if len(types) == 1 else "OPERATIONAL",
    )


_WHY_OPEN = {
    CheckStatus.SKIPPED: "was skipped",
    CheckStatus.UNKNOWN: "has an unknown status",
    CheckStatus.UNPROVEN: "is in a file that proves nothing",
}


def _success(related: Sequence[ReportedResult], behind: OutputNodes, job: _Job) -> OutputDecision:
    open_ones = [result for result in related if result.status is not CheckStatus.PASSED]
    if open_ones:
        what = "its build" if open_ones[0].kind is ResultKind.BUILD else "a check of it"
        return OutputDecision(Effect.NOTHING, reason=f"{what} {_WHY_OPEN[open_ones[0].status]}")
    if job.failed and job.incomplete:
        return OutputDecision(Effect.NOTHING, reason="the job failed and a file with results could not be used")
    passed = {result.name for result in related if result.kind is ResultKind.CHECK}
    is_built = any(result.kind is ResultKind.BUILD for result in related)
    missing = len(behind.checks - passed)
    # Where nothing lists the checks, a file that could not be used may have had more of them.
    is_known = bool(behind.nodes) or not job.incomplete
    answers = {Cause.BUILD, Cause.JOB} if is_built else set()
    parts = ["it was built"] if is_built else []
    if is_known and not missing:
        answers = set(Cause)
        if passed:
            parts.append("its check passed" if len(passed) == 1 else f"all {len(passed):,} checks passed")
    elif passed:
        parts.append(f"{len(passed):,} of its checks passed")
    reason = " and ".join(parts)
    if not answers:
        return OutputDecision(Effect.NOTHING, reason=f"{reason}, {missing:,} were not run")
    return OutputDecision(Effect.RESOLVE, reason=reason, answers=frozenset(answers))


def _file_warnings(files: Sequence[FileResults]) -> list[str]:
    phrases = ("problem", "stray", "note")
    return [Hint("{0} {1}.", file.path, text) for each in phrases for file in files if (text := getattr(file, each))]


def _redacted(text: object, redact: Redactor) -> str:
    """A text without secrets, in which settings are still placeholders."""
    if isinstance(text, Hint):
        return Hint(text.template, *(_redacted(value, redact) for value in text.values))
    return redact(str(text))


def _job_warning(job: _Job, decisions: Sequence[OutputDecision]) -> list[str]:
    by_status = sum(not decision.by_results for decision in decisions)
    if not by_status:
        return []
    outputs = "output" if by_status == 1 else "outputs"
    why = " No result explains why the job failed." if job.failed and not job.explained and not job.incomplete else ""
    return [f"{by_status:,} {outputs}: the job's status was used instead of the result files.{why}"]


def _skip_warning(skipped: Sequence[str], failed: Sequence[ReportedResult]) -> list[str]:
    """Whose data are old, and what is to blame."""
    if not skipped:
        return []
    outputs, their = ("1 output was", "its") if len(skipped) == 1 else (f"{len(skipped):,} outputs were", "their")
    why = f" Failed: {_some([code_span(one.name) for one in failed])}." if failed else ""
    return [f"{outputs} skipped, so {their} data is old: {_some(skipped)}.{why}"]


def _some(names: Sequence[str], most: int = 5) -> str:
    more = [f"{len(names) - most:,} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])


def matching(names: Sequence[str], patterns: Iterable[str]) -> set[str]:
    """The names (sorted) that one of the patterns matches as a whole, letter case included.

    In a pattern `*` stands for any text, `?` for one character, and nothing else is special.
    """
    return {name for pattern in patterns for name in _matching(names, pattern)}


def _matching(names: Sequence[str], pattern: str) -> Iterator[str]:
    literals = re.split(r"[*?]", pattern)
    beginning, longest = literals[0], max(literals, key=len)
    compiled = _compiled(pattern)
    # Only names with the pattern's beginning are compared.
    begun = takewhile(lambda name: name.startswith(beginning), islice(names, bisect_left(names, beginning), None))
    return (name for name in begun if longest in name and compiled.fullmatch(name))


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression: names of parametrized tests contain brackets, so those are literal.

    Each part between stars is matched where it first occurs, and nowhere else: a long name must not take long.
    """
    first, *others = (re.escape(part).replace(r"\?", ".") for part in re.split(r"\*+", pattern))
    if not others:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"{first}{middle}.*{others[-1]}", re.DOTALL)
