"""Results files of a workspace and the dbt manifests that belong to them, assessed for a job's outputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import NamedTuple

from incident_gate.dbt.project import DbtProject, project_limits, read_project
from incident_gate.files import FileError
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.results import dbt
from incident_gate.outcome.results.evaluate import Decision, Evaluation, evaluate
from incident_gate.outcome.results.load import ResultFiles, load, resolve
from incident_gate.outcome.results.model import Build, FileResults
from incident_gate.outcome.results.projects import Projects, join
from incident_gate.text import Redactor

MANIFEST = "manifest.json"
_USUAL = f"target/{MANIFEST}"


class DbtManifests(NamedTuple):
    """What the gate's manifest has about dbt: paths of `manifest.json`, and the platforms of its tables."""

    paths: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()


def assess(
    outputs: Sequence[OutputEntry], files: ResultFiles, manifests: DbtManifests, *, job_failed: bool
) -> Evaluation:
    """Decide about each output by the files with results.

    Args:
        outputs: Those that selectors stand for included.
        files: Where the results are.
        manifests: Those of dbt that the gate's manifest names; others are found beside dbt's results.
        job_failed: Whether the job failed; if not, it succeeded.
    """
    results = load(files)
    projects, problems = _projects(results, files, manifests)
    evaluation = evaluate(outputs, (*results, *problems), projects, job_failed=job_failed)
    return replace(evaluation, decisions=tuple(_redacted(decision, files.redact) for decision in evaluation.decisions))


def _redacted(decision: Decision, redact: Redactor) -> Decision:
    """A decision without secrets in names: only now, because names relate checks to outputs."""
    failed = (
        one._replace(node=redact(one.node)) if isinstance(one, Build) else one._replace(name=redact(one.name))
        for one in decision.failed
    )
    return replace(decision, failed=tuple(failed))


def _projects(
    results: Sequence[FileResults], files: ResultFiles, manifests: DbtManifests
) -> tuple[Projects, list[FileResults]]:
    """The projects, and what is wrong with a manifest that exists."""
    folders = dict.fromkeys(PurePath(result.path).parent for result in results if result.format == dbt.NAME)
    if not folders:
        return Projects(), []
    paths = [*manifests.paths, *(str(folder / MANIFEST) for folder in folders)]
    found = _existing(paths, files) or _existing([_USUAL], files)
    projects: list[DbtProject] = []
    limits = project_limits()
    problems: list[FileResults] = []
    for path, target in found:
        try:
            projects.append(read_project(resolve(target, files), limits))
        except FileError as error:
            problems.append(FileResults(path=path, problem=str(error)))
    return join(projects, platforms=manifests.platforms), problems


def _existing(paths: Iterable[str], files: ResultFiles) -> list[tuple[str, Path]]:
    """Each manifest that exists, once: a selector may name its folder."""
    found: dict[Path, str] = {}
    for path in paths:
        target = files.folder / path
        target = target / MANIFEST if target.is_dir() else target
        if target.exists():
            found.setdefault(target, path)
    return [(path, target) for target, path in found.items()]
