"""One call of a command: its options, and the process's edges."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import BinaryIO, NamedTuple, TextIO


class Call(NamedTuple):
    """One call of a command."""

    command: str
    options: argparse.Namespace
    environment: Mapping[str, str]
    stdout: TextIO
    stderr: TextIO
    stdin: BinaryIO | None
    verbose: bool

    def option(self, name: str) -> str:
        """An option's value as text, one line for each use; empty where it was not used."""
        value = getattr(self.options, name, None)
        if value is True:
            return "true"
        return "\n".join(value) if isinstance(value, list) else str(value or "").strip()

    @property
    def has_colour(self) -> bool:
        """Whether standard output shows colour."""
        if self.environment.get("NO_COLOR"):
            return False
        return self.stdout.isatty() and self.environment.get("TERM", "") not in {"", "dumb"}

    @property
    def width(self) -> int:
        """How many cells a line of standard output has."""
        try:
            return os.get_terminal_size(self.stdout.fileno()).columns if self.stdout.isatty() else 100
        except OSError:
            return 100


def today() -> date:
    """The day on which waivers must be valid."""
    return datetime.now(UTC).date()
