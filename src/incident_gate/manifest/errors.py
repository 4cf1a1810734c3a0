"""What is wrong in a manifest: one error, all errors of a file, and their exception."""

from __future__ import annotations

from incident_gate.errors import GateError
from incident_gate.manifest.model import Mistake, Position


class ManifestError(GateError):
    """The manifest is missing, unreadable or wrong.

    Args:
        path: As the user wrote it.
        mistakes: What is wrong, in the file's order; at least one.
        hint: What to do next, where the mistakes do not include it.
    """

    def __init__(self, path: str, mistakes: tuple[Mistake, ...], *, hint: str = "") -> None:
        lines = (f"{path}:{mistake.position.line}:{mistake.position.column}: {mistake}" for mistake in mistakes)
        super().__init__("\n".join(lines), hint=hint)
        self.path = path
        self.mistakes = mistakes

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}".rstrip()


class UnreadableError(Exception):
    """An error after which the rest of the file cannot be read."""

    def __init__(self, position: Position, message: str, expected: str = "") -> None:
        super().__init__(message)
        self.mistake = Mistake(position, message, expected)


class Mistakes:
    """Collects the errors of one file, so that all are reported at once."""

    LIMIT = 1_000
    """A file with more errors is not a manifest, or has the same error everywhere."""

    def __init__(self) -> None:
        self._found: dict[Mistake, None] = {}  # a dictionary, because an alias leads to the same error twice

    def add(self, position: Position, message: str, expected: str = "") -> None:
        """Add an error."""
        if len(self._found) <= self.LIMIT:
            self._found[Mistake(position, message, expected)] = None

    def __bool__(self) -> bool:
        return bool(self._found)

    def sorted(self) -> tuple[Mistake, ...]:
        """All of them in the file's order; the last one reports when there are more."""
        ordered = sorted(self._found, key=lambda mistake: mistake.position)
        if len(ordered) > self.LIMIT:
            last = ordered[self.LIMIT - 1].position
            ordered[self.LIMIT :] = [Mistake(last, f"more than {self.LIMIT:,} errors: the rest is not shown")]
        return tuple(ordered)
