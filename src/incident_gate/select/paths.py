"""Paths of selectors: they stay below the workspace."""

from __future__ import annotations

from pathlib import Path

from incident_gate.dbt.project import MANIFEST_FILE
from incident_gate.files import OutsideError, locate
from incident_gate.manifest.errors import ManifestError
from incident_gate.manifest.model import Dbt, Manifest, Mistake, OutputSelector, Selector
from incident_gate.text import quote


def check_paths(manifest: Manifest, root: Path) -> None:
    """Check that all paths of selectors stay below a folder.

    Raises:
        ManifestError: Some do not.
    """
    mistakes = []
    selectors: list[Selector | OutputSelector] = [*manifest.selectors, *manifest.output_selectors]
    for selector in selectors:
        what = selector.what
        if not isinstance(what, Dbt):
            continue
        paths = [(path, MANIFEST_FILE) for path in what.manifest] + [(path, "") for path in [what.nodes] if path]
        for path, in_folder in paths:
            try:
                locate(path, root, in_folder=in_folder)
            except OutsideError as error:
                mistakes.append(Mistake(selector.position, f"{quote(path)} {error}", "a path below the workspace"))
    if mistakes:
        raise ManifestError(manifest.path, tuple(mistakes))
