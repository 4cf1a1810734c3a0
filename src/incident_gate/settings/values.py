"""Values of options: parsed one by one, their errors reported together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from incident_gate.datahub.connection import Spelling
from incident_gate.errors import SettingError
from incident_gate.files import OutsideError, locate, names_outside
from incident_gate.settings.options import Option
from incident_gate.settings.parse import shown

T = TypeVar("T")


class Values:
    """Parses values by their options, and collects errors so that all are reported at once.

    Args:
        get: The value of an option by its name; empty where unset.
        spelling: How the user writes the names of options.
    """

    def __init__(self, get: Callable[[str], str], spelling: Spelling) -> None:
        self._get = get
        self.spelling = spelling
        self._errors: list[SettingError] = []

    def named(self, option: Option[T]) -> str:
        """The option's name as its user knows it."""
        return self.spelling.of(option.name)

    def text(self, option: Option[T]) -> str:
        """The option's value as it was given; empty where unset."""
        return self._get(option.name).strip()

    def __call__(self, option: Option[T]) -> T:
        """The option's value; that of its default after an error."""
        default = option.parse(option.default, option.name)
        return self.attempt(lambda: option.parse(self.text(option) or option.default, self.named(option)), default)

    def path(self, option: Option[T], text: str, workspace: Path | None) -> Path:
        """The path that an option names."""
        try:
            return locate(text, workspace)
        except OutsideError as error:
            self._refuse_path(option, text, error)
            return Path()

    def pattern(self, option: Option[T], text: str, workspace: Path | None) -> str:
        """A path or pattern of files that an option names."""
        if workspace is None:
            return str(self.path(option, text, None))
        if names_outside(text, workspace):
            self._refuse_path(option, text, OutsideError("leads out of the workspace"))
        return text

    def attempt(self, read: Callable[[], T], default: T) -> T:
        """What `read` returns; `default` after an error, which is collected."""
        try:
            return read()
        except SettingError as error:
            self._errors.append(error)
            return default

    def _refuse_path(self, option: Option[T], text: str, error: OutsideError) -> None:
        self.add(f"{self.named(option)} {error}: {shown(text)}.", hint="Use a path below the repository's checkout.")

    def add(self, message: str, *, hint: str) -> None:
        """Add an error."""
        self._errors.append(SettingError(message, hint=hint))

    def finish(self) -> None:
        """Report the errors.

        Raises:
            SettingError: With every error, one a line, if there is any.
        """
        if self._errors:
            raise SettingError("\n".join(str(error) for error in self._errors))
