"""`incident-gate doctor`, `select` and `validate --online`: what looks at DataHub and judges nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from incident_gate.api import Resolve, connect, resolved
from incident_gate.cli.main import Call, today
from incident_gate.cli.online import progress_of, settings_of
from incident_gate.doctor.checks import document, examine, exit_code, table
from incident_gate.doctor.existence import missing_assets
from incident_gate.errors import ExitCode
from incident_gate.incident import Problem
from incident_gate.manifest.model import Dbt, InputEntry, Manifest, ManifestError, OutputEntry
from incident_gate.process import write
from incident_gate.report.words import count
from incident_gate.select.resolve import resolve
from incident_gate.select.selection import ResolvedInputs
from incident_gate.settings.options import Mode
from incident_gate.settings.read import manifest_of
from incident_gate.text import plain


def doctor(call: Call) -> int:
    """Examine settings, server and assets."""
    settings = settings_of(call, Mode.GATE)
    named = call.options.manifest or settings.inputs or settings.outputs
    # A first look at a server needs no manifest; one that was named must exist.
    manifest = manifest_of(settings, today()) if named or settings.manifest.exists() else None
    with progress_of(call, settings) as (progress, _), connect(settings, progress) as client:
        findings = examine(settings, client, manifest)
    as_json = call.options.format == "json"
    shown = document(findings) if as_json else table(findings, colour=call.has_colour, width=call.width or 80)
    write(call.stdout, shown)
    return exit_code(findings)


def check_existence(call: Call, manifest: Manifest) -> None:
    """Check that everything a manifest names exists.

    Raises:
        ManifestError: Something does not.
        DataHubError: DataHub could not be queried.
    """
    settings = settings_of(call, Mode.GATE)
    with progress_of(call, settings) as (progress, _), connect(settings, progress) as client:
        missing = missing_assets(client, manifest, root=Path.cwd(), resolve=settings.connection.resolved)
    if missing:
        raise ManifestError(manifest.path, missing, text=manifest.text)


def select(call: Call) -> int:
    """Print what is selected."""
    # Selectors of dbt's files need no server.
    settings = settings_of(call, Mode.GATE, needs_server=False)
    manifest = manifest_of(settings, today())
    if any(not isinstance(selector.what, Dbt) for selector in manifest.selectors):
        settings = settings_of(call, Mode.GATE)
        with progress_of(call, settings) as (progress, _), connect(settings, progress) as client:
            selection = resolve(manifest, client=client, root=settings.workspace or Path.cwd())
    else:
        selection = resolve(manifest, client=None, root=settings.workspace or Path.cwd())
    selection = _resolved(selection, settings.connection.resolved)
    write(call.stdout, _selection_document(selection) if call.options.format == "json" else _selection_text(selection))
    return selection.failure.exit_code if selection.failure else ExitCode.OK


def _resolved(selection: ResolvedInputs, spell: Resolve) -> ResolvedInputs:
    problems = tuple(found._replace(problem=resolved(found.problem, spell)) for found in selection.problems)
    return selection._replace(problems=problems)


def _selection_document(selection: ResolvedInputs) -> str:
    value = {
        "inputs": [_entry(entry) for entry in selection.inputs],
        "outputs": [_entry(entry) for entry in selection.outputs],
        "problems": [
            {
                "line": line,
                "selector": selector,
                "reason": problem.reason.value,
                "message": problem.message,
                "hint": problem.hint,
            }
            for line, selector, problem in _problems(selection)
        ],
    }
    return json.dumps(value, indent=2) + "\n"


def _entry(entry: InputEntry | OutputEntry) -> dict[str, Any]:
    return {
        "urn": entry.urn.text,
        "also": [urn.text for urn in entry.alternate_urns],
        "line": entry.position.line or None,
        "selector": entry.selected_by or None,
    }


def _problems(selection: ResolvedInputs) -> Iterator[tuple[int, str, Problem]]:
    for entry, problem in selection.problems:
        yield entry.position.line, entry.selected_by, problem
    for selector, problem in selection.output_problems:
        yield selector.position.line, selector.label, problem


def _selection_text(selection: ResolvedInputs) -> str:
    lines = []
    for title, entries in (("input", selection.inputs), ("output", selection.outputs)):
        by_line: dict[tuple[int, str], list[InputEntry | OutputEntry]] = {}
        for entry in entries:
            by_line.setdefault((entry.position.line, entry.selected_by), []).append(entry)
        lines += [count(len(entries), title)] if entries else []
        for (line, selector), group in by_line.items():
            place = f"line {line}" if line else "settings"
            lines.append(f"  {place}{f', {plain(selector, 300)}: {len(group):,}' if selector else ''}")
            for entry in group:
                lines.append(f"    {plain(entry.urn.text, 600)}")
                lines += [f"      also {plain(urn.text, 600)}" for urn in entry.alternate_urns]
    lines += [plain(notice, 600) for notice in selection.notices]
    for line, selector, problem in _problems(selection):
        text = f"line {line}, {selector}: {problem.message.rstrip('.')}. {problem.hint}"
        lines.append(f"Unknown: {plain(text, 1_000)}")
    return "\n".join(lines or ["Nothing is selected."]) + "\n"
