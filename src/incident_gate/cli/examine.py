"""`incident-gate doctor`, `select` and `validate --online`: what looks at DataHub and judges nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from incident_gate.api import resolved
from incident_gate.cli.main import Call, today, width_of
from incident_gate.cli.online import connected, settings_of
from incident_gate.doctor.checks import document, examine, exit_code, table
from incident_gate.doctor.existence import missing_assets
from incident_gate.errors import ExitCode
from incident_gate.incident import Problem
from incident_gate.manifest.model import Dbt, InputEntry, Manifest, ManifestError, OutputEntry
from incident_gate.process import write
from incident_gate.select.resolve import resolve
from incident_gate.select.selection import ResolvedInputs
from incident_gate.settings.options import Mode
from incident_gate.settings.read import manifest_of
from incident_gate.text import count, plain


def doctor(call: Call) -> int:
    """Examine settings, server and assets."""
    settings = settings_of(call, Mode.GATE)
    named = call.options.manifest or settings.inputs or settings.outputs
    # A first look at a server needs no manifest; one that was named must exist.
    manifest = manifest_of(settings, today()) if named or settings.manifest.exists() else None
    with connected(call, settings) as (client, _):
        findings = examine(settings, client, manifest)
    if call.options.format == "json":
        write(call.stdout, document(findings))
    else:
        write(call.stdout, table(findings, colour=call.has_colour, width=width_of(call.stdout) or 80))
    return exit_code(findings)


def check_existence(call: Call, manifest: Manifest) -> None:
    """Check that everything a manifest names exists; a ManifestError names what does not."""
    settings = settings_of(call, Mode.GATE)
    with connected(call, settings) as (client, _):
        missing = missing_assets(client, manifest, root=Path.cwd(), resolve=settings.connection.resolved)
    if missing:
        raise ManifestError(manifest.path, missing, text=manifest.text)


def select(call: Call) -> int:
    """Print what is selected."""
    # Selectors of dbt's files need no server.
    settings = settings_of(call, Mode.GATE, needs_server=False)
    manifest = manifest_of(settings, today())
    root = settings.workspace or Path.cwd()
    if all(isinstance(selector.what, Dbt) for selector in manifest.selectors):
        selection = resolve(manifest, client=None, root=root)
    else:
        settings = settings_of(call, Mode.GATE)
        with connected(call, settings) as (client, _):
            selection = resolve(manifest, client=client, root=root)
    problems = [
        *((entry.position.line, entry.selected_by, problem) for entry, problem in selection.problems),
        *((selector.position.line, selector.label, problem) for selector, problem in selection.output_problems),
    ]
    problems = [(line, label, resolved(problem, settings.connection.resolved)) for line, label, problem in problems]
    shown = _document(selection, problems) if call.options.format == "json" else _text(selection, problems)
    write(call.stdout, shown)
    return selection.failure.exit_code if selection.failure else ExitCode.OK


def _document(selection: ResolvedInputs, problems: Iterable[tuple[int, str, Problem]]) -> str:
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
            for line, selector, problem in problems
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


def _text(selection: ResolvedInputs, problems: Iterable[tuple[int, str, Problem]]) -> str:
    lines = []
    for title, entries in (("input", selection.inputs), ("output", selection.outputs)):
        by_line: dict[tuple[int, str], list[InputEntry | OutputEntry]] = {}
        for entry in entries:
            by_line.setdefault((entry.position.line, entry.selected_by), []).append(entry)
        lines += [count(len(entries), title)] if entries else []
        for (line, selector), group in by_line.items():
            number = f": {count(len(group), 'asset')}" if selector else ""
            lines.append(f"  {_place(line, selector)}{number}")
            for entry in group:
                lines.append(f"    {plain(entry.urn.text, 600)}")
                lines += [f"      also {plain(urn.text, 600)}" for urn in entry.alternate_urns]
    lines += [plain(notice, 600) for notice in selection.notices]
    for line, selector, problem in problems:
        text = f"{_place(line, selector)}: {problem.message.rstrip('.')}. {problem.hint}"
        lines.append(f"Unknown: {plain(text, 1_000)}")
    return "\n".join(lines or ["Nothing is selected."]) + "\n"


def _place(line: int, selector: str) -> str:
    place = f"line {line}" if line else "settings"
    return f"{place} ({plain(selector, 300)})" if selector else place
