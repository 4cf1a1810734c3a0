"""Files with results: the samples, and the evaluation of files written for one test."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from incident_gate.dbt.urns import DbtRecipe
from incident_gate.manifest.model import OutputEntry, Position
from incident_gate.outcome.result import Evaluation
from incident_gate.outcome.results.dbt import Projects
from incident_gate.outcome.results.evaluate import evaluate
from incident_gate.outcome.results.load import ResultFiles, load
from incident_gate.outcome.results.model import FileResults
from incident_gate.urn import parse_urn
from tests.helpers.dbt import sample_project

FIXTURES = Path(__file__).parents[1] / "fixtures"
BEFORE_THE_SAMPLES = 1_795_560_000.0
"""A job that starts then finds every sample fresh."""


def output(urn: str, *checks: str) -> OutputEntry:
    """An output of a manifest, with patterns of the checks that belong to it."""
    return OutputEntry(urn=parse_urn(urn), position=Position(1, 1), checks=checks)


def read_files(folder: Path, *patterns: str, job_start: float = BEFORE_THE_SAMPLES) -> tuple[FileResults, ...]:
    """Read the files of a workspace."""
    return load(ResultFiles(patterns=patterns, folder=folder, confined=True, job_start=job_start))


def shop(version: str) -> tuple[Path, dict[str, str], Projects]:
    """A sample project: its folder, the URN of each node, and what its manifest adds to results."""
    folder = FIXTURES / "dbt" / f"shop-{version}"
    project = sample_project(version)
    recipe = DbtRecipe(target_platform="duckdb")
    return folder, {i: recipe.urns_of(node).dbt for i, node in project.nodes.items()}, Projects([project])


def judge(
    folder: Path,
    *patterns: str,
    outputs: Sequence[OutputEntry],
    projects: Projects | None = None,
    job_failed: bool = False,
    job_start: float = BEFORE_THE_SAMPLES,
) -> Evaluation:
    """Evaluate the files of a workspace."""
    files = read_files(folder, *patterns, job_start=job_start)
    return evaluate(outputs, files, projects or Projects(), job_failed=job_failed)


def dbt_results(
    *results: tuple[str, str],
    which: str | None = "build",
    generated_at: str = "2026-11-25T02:00:00Z",
    message: str | None = None,
    **args: Any,
) -> str:
    """A `run_results.json` with the status of each unique id."""
    return json.dumps(
        {
            "metadata": {
                "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
                "generated_at": generated_at,
            },
            "results": [
                {"status": status, "message": message, "unique_id": unique_id, "compiled_code": "select secret"}
                for unique_id, status in results
            ],
            "args": ({"which": which} if which else {}) | args,
        }
    )
