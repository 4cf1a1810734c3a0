"""dbt projects: the samples, and small ones made for one test."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from incident_gate.dbt.project import DbtProject, parse_project, project_limits, read_project

PROJECTS = Path(__file__).parents[1] / "fixtures" / "dbt"
"""Real manifests: a folder for each version of dbt, and one with edge cases."""

Entry = tuple[str, dict[str, Any]]


def dbt_node(unique_id: str, **values: Any) -> Entry:
    """A node, source or test as the manifest has it."""
    kind, _, name = unique_id.partition(".")
    return unique_id, {"resource_type": kind, "name": name.rpartition(".")[2]} | values


def dbt_manifest(*entries: Entry, **sections: Any) -> bytes:
    """A manifest.json with these entries, each in its section."""
    manifest: dict[str, Any] = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "adapter_type": "duckdb",
            "project_name": "p",
        },
        "nodes": {},
        "sources": {},
    }
    places = {"source": "sources", "semantic_model": "semantic_models", "unit_test": "unit_tests"}
    for unique_id, value in entries:
        kind = unique_id.partition(".")[0]
        manifest.setdefault(places.get(kind, "nodes"), {})[unique_id] = value
    return json.dumps(manifest | sections).encode()


def dbt_project(*entries: Entry) -> DbtProject:
    """The project of such a manifest."""
    return parse_project(io.BytesIO(dbt_manifest(*entries)), project_limits())


def sample_recipes() -> list[Any]:
    """The rows of a table: each sample's folder, with the right answer for each recipe of DataHub's ingestion."""
    found = []
    for folder in sorted(PROJECTS.glob("shop-*")):
        answers = json.loads((folder / "answers-urns.json").read_text(encoding="utf-8"))
        found += [pytest.param(folder, answer, id=f"{folder.name}-{name}") for name, answer in answers.items()]
    return found


def sample_project(version: str) -> DbtProject:
    """The sample project `shop` as one version of dbt describes it."""
    return read_project(PROJECTS / f"shop-{version}" / "manifest.json", project_limits())
