"""The outcome of each output: a pure function of results, the dbt project and the job's status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from incident_gate.incident import Cause
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.results.combine import Combined, combine
from incident_gate.outcome.results.model import Build, Check, FileResults, Verdict
from incident_gate.outcome.results.patterns import Names
from incident_gate.outcome.results.projects import Projects


class Effect(StrEnum):
    """What a decision does to an output's incidents."""

    RAISE = "raise"
    RESOLVE = "resolve"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What results, or the job's status, decide about one output.

    Args:
        effect: What to do.
        by_results: Whether the results decided; if not, the job's status did.
        reason: What decided, as a sentence without its full stop.
        cause: Of the incident to raise.
        answers: The causes whose incidents are over.
        headline: What failed, in a few words.
        failed: What failed, each with its name and message.
        type: The incident's type that fits what failed.
    """

    effect: Effect
    by_results: bool = True
    reason: str = ""
    cause: Cause = Cause.JOB
    answers: frozenset[Cause] = frozenset()
    headline: str = ""
    failed: tuple[Check | Build, ...] = ()
    type: str = "OPERATIONAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The decisions about all outputs, in their order.

    `unrelated` counts the checks that belong to no output, and how many of them failed. `warnings` are sentences.
    """

    decisions: tuple[Decision, ...]
    unrelated: int = 0
    unrelated_failed: int = 0
    warnings: tuple[str, ...] = ()


def evaluate(
    outputs: Sequence[OutputEntry], files: Sequence[FileResults], projects: Projects, *, job_failed: bool
) -> Evaluation:
    """Decide about each output.

    Args:
        outputs: Of the manifest, those that selectors stand for included.
        files: The results.
        projects: dbt's manifests.
        job_failed: Whether the job failed; if not, it succeeded.
    """
    patterns = [pattern for output in outputs for pattern in output.checks]
    # Results in whose projects no output is found are of another project, or the outputs' URNs are mistyped.
    has_outputs = any(projects.nodes_of(_urns(output)) for output in outputs)
    combined = combine(files, unique_ids=projects.unique_ids if has_outputs else (), patterns=patterns)
    job = _Job(failed=job_failed, explained=combined.explains_failure, incomplete=bool(combined.problems))
    relations = _Relations(combined, projects)
    related = [relations.of(output) for output in outputs]
    decisions = tuple(_decide(one, job) for one in related)
    belonging = {check.name for one in related for check in one.checks}
    others = [check for name, checks in combined.checks.items() if name not in belonging for check in checks]
    return Evaluation(
        decisions=decisions,
        unrelated=len(others),
        unrelated_failed=sum(check.verdict.is_bad for check in others),
        warnings=_warnings(combined, job, decisions),
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """How the job ended, whether a result explains a failure, and whether a file could not be used."""

    failed: bool
    explained: bool
    incomplete: bool


@dataclass(frozen=True, slots=True)
class _Related:
    """What belongs to one output. `expected` are the names of all its checks; None where nothing lists them."""

    builds: tuple[Build, ...]
    checks: tuple[Check, ...]
    expected: frozenset[str] | None

    @property
    def is_mentioned(self) -> bool:
        return bool(self.builds or self.checks)


class _Relations:
    """Finds what belongs to an output."""

    def __init__(self, combined: Combined, projects: Projects) -> None:
        self._combined = combined
        self._projects = projects
        self._names = Names(combined.checks)
        self._by_urn: dict[str, list[str]] = {}
        for name, checks in combined.checks.items():
            for urn in {urn for check in checks for urn in check.urns}:
                self._by_urn.setdefault(urn, []).append(name)

    def of(self, output: OutputEntry) -> _Related:
        urns = _urns(output)
        nodes = self._projects.nodes_of(urns)
        expected = frozenset().union(*(self._projects.checks_by_node.get(node, ()) for node in nodes))
        by_pattern = {name for pattern in output.checks for name in self._names.matching(pattern)}
        whole = by_pattern | {name for name in expected if name in self._combined.checks}
        checks = [check for name in sorted(whole) for check in self._combined.checks[name]]
        # A name can be listed several times, for several datasets.
        named = sorted({name for urn in urns for name in self._by_urn.get(urn, ())} - whole)
        checks += [c for name in named for c in self._combined.checks[name] if urns.intersection(c.urns)]
        builds = [self._combined.builds[node] for node in sorted(nodes) if node in self._combined.builds]
        return _Related(
            tuple(builds), tuple(self._projects.typed(check) for check in checks), expected if nodes else None
        )


def _urns(output: OutputEntry) -> set[str]:
    return {output.urn.text, *(urn.text for urn in output.alternate_urns)}


def _decide(related: _Related, job: _Job) -> Decision:
    bad_builds = [build for build in related.builds if build.verdict.is_bad]
    bad_checks = [check for check in related.checks if check.verdict.is_bad]
    if bad_builds or bad_checks:
        return _failure(related, bad_builds, bad_checks)
    # A file that could not be used may have explained the failure of what the others do not mention.
    if job.failed and (not job.explained or (job.incomplete and not related.is_mentioned)):
        return Decision(effect=Effect.RAISE, by_results=False, reason="the job failed")
    if job.incomplete and not related.is_mentioned:
        return Decision(
            effect=Effect.RESOLVE, by_results=False, reason="the job succeeded", answers=frozenset({Cause.JOB})
        )
    return _success(related, job)


def _failure(related: _Related, builds: Sequence[Build], checks: Sequence[Check]) -> Decision:
    count = sum(check.verdict is Verdict.PASSED for check in related.checks) + len(checks)
    parts = ["its build failed"] if builds else []
    if checks:
        parts.append(f"{len(checks):,} of {count:,} checks failed")
    types = {check.type for check in checks} if checks else set()
    headline = " and ".join(parts)
    return Decision(
        effect=Effect.RAISE,
        reason=headline,
        # The stricter one where both failed: a later build alone does not answer the checks.
        cause=Cause.CHECKS if checks else Cause.BUILD,
        headline=headline,
        failed=(*builds, *checks),
        type=types.pop() if len(types) == 1 else "OPERATIONAL",
    )


def _success(related: _Related, job: _Job) -> Decision:
    passed = {check.name for check in related.checks if check.verdict is Verdict.PASSED}
    results: list[Build | Check] = [*related.builds, *related.checks]
    open_ones = [result for result in results if result.verdict is not Verdict.PASSED]
    if not related.is_mentioned:
        return Decision(effect=Effect.NOTHING, reason="no result mentions it")
    if open_ones:
        how = "was skipped" if open_ones[0].verdict is Verdict.SKIPPED else "has an unknown status"
        what = "its build" if isinstance(open_ones[0], Build) else "a check of it"
        return Decision(effect=Effect.NOTHING, reason=f"{what} {how}")
    if job.failed and job.incomplete:
        return Decision(effect=Effect.NOTHING, reason="the job failed and a file with results could not be used")
    built = bool(related.builds)
    # Where nothing lists the checks, a file that could not be used may have had more of them.
    known = related.expected is not None or not job.incomplete
    complete = known and (related.expected or frozenset()) <= passed and bool(passed or built)
    answers = {Cause.BUILD, Cause.JOB} if built else set()
    if complete:
        answers |= {Cause.CHECKS, Cause.BUILD, Cause.JOB}
    parts = ["it was built"] if built else []
    if passed:
        checks = f"{len(passed):,} of its checks passed" if not complete else f"all {len(passed):,} checks passed"
        parts.append(checks if len(passed) > 1 or not complete else "its check passed")
    reason = " and ".join(parts)
    if not answers:
        missing = len((related.expected or frozenset()) - passed)
        return Decision(effect=Effect.NOTHING, reason=f"{reason}, {missing:,} were not run")
    return Decision(effect=Effect.RESOLVE, reason=reason, answers=frozenset(answers))


def _warnings(combined: Combined, job: _Job, decisions: Sequence[Decision]) -> tuple[str, ...]:
    warnings = [f"{path} {phrase}." for path, phrase in (*combined.problems, *combined.notes)]
    by_status = sum(not decision.by_results for decision in decisions)
    if by_status:
        status = "failure" if job.failed else "success"
        outputs = "output" if by_status == 1 else "outputs"
        why = "" if job.incomplete else " No result explains why the job failed."
        warnings.append(f"The job's status ({status}) decided about {by_status:,} {outputs}.{why}")
    return tuple(warnings)
