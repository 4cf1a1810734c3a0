"""A manifest that cannot be used, with every mistake in it."""

from __future__ import annotations

from incident_gate.errors import GateError
from incident_gate.manifest.model import Mistake, Position


class ManifestError(GateError):
    """The manifest is missing, unreadable or wrong.

    Args:
        path: As the user gave it.
        mistakes: What is wrong, in the file's order; at least one.
        hint: What to do next where the mistakes themselves do not say it.
    """

    def __init__(self, path: str, mistakes: tuple[Mistake, ...], *, hint: str = "") -> None:
        lines = (f"{path}:{mistake.position.line}:{mistake.position.column}: {mistake}" for mistake in mistakes)
        super().__init__("\n".join(lines), hint=hint)
        self.path = path
        self.mistakes = mistakes

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}".rstrip()


class Mistakes:
    """The mistakes found so far in one file."""

    LIMIT = 1_000
    """So many are told; a file with more is not a manifest, or has the same mistake everywhere."""

    def __init__(self) -> None:
        self._found: dict[Mistake, None] = {}  # a dictionary, because an alias leads to the same mistake twice

    def add(self, position: Position, message: str, expected: str = "") -> None:
        """Note a mistake."""
        if len(self._found) <= self.LIMIT:
            self._found[Mistake(position=position, message=message, expected=expected)] = None

    def __bool__(self) -> bool:
        return bool(self._found)

    def sorted(self) -> tuple[Mistake, ...]:
        """All of them in the file's order; the last one says when there are more."""
        ordered = sorted(self._found, key=lambda mistake: (mistake.position.line, mistake.position.column))
        if len(ordered) > self.LIMIT:
            last = ordered[self.LIMIT - 1].position
            ordered[self.LIMIT :] = [
                Mistake(position=last, message=f"more than {self.LIMIT:,} mistakes: the rest is not told")
            ]
        return tuple(ordered)
