"""What the runner takes for a workflow command: its two grammars, read from actions/runner's ActionCommand.cs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

REGISTERED = frozenset(
    {"error", "warning", "notice", "debug", "add-mask", "set-output", "set-env", "add-path", "save-state"}
    | {"group", "endgroup", "echo", "add-matcher", "remove-matcher", "stop-commands", "internal-set-repo-path"},
)


@dataclass(frozen=True)
class Seen:
    """A command as the runner understood it."""

    name: str
    data: str
    properties: dict[str, str] = field(default_factory=dict)


def commands_in(output: str) -> list[Seen]:
    """All commands in what a step printed; .NET ends a line at CR, LF or both, and at nothing else."""
    seen = (_new_form(line) or _old_form(line) for line in re.split(r"\r\n|\r|\n", output))
    return [command for command in seen if command]


def _new_form(line: str) -> Seen | None:
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, properties = line[2:end].partition(" ")
    if name not in REGISTERED:
        return None
    pairs = (part.split("=", 1) for part in properties.strip().split(",") if part)
    found = {pair[0]: _unescape(pair[1], "\r", "\n", ":", ",", "%") for pair in pairs if len(pair) > 1 and all(pair)}
    return Seen(name, _unescape(line[end + 2 :], "\r", "\n", "%"), found)


def _old_form(line: str) -> Seen | None:
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name = line[start + 3 : end].partition(" ")[0]
    return Seen(name, line[end + 1 :]) if name in REGISTERED else None


def _unescape(text: str, *characters: str) -> str:
    for character in characters:
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def values_in(file: str) -> dict[str, str]:
    """What the runner reads from a file of outputs, state or variables; refuses what it would refuse."""
    found: dict[str, str] = {}
    lines = iter(file.split("\n"))
    for line in filter(None, lines):
        name, sign, rest = re.split("(=|<<)", line, maxsplit=1)
        value = [rest] if sign == "=" else []
        while sign == "<<" and (inner := next(lines, None)) != rest:
            if inner is None:
                raise ValueError(f"no end of {name}")
            value.append(inner)
        found[name] = "\n".join(value)
    return found
