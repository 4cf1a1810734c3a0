"""What can end a run early: one tree of exceptions, each with its exit code and what to do next.

GateError
├── ManifestError       the manifest has mistakes (all of them, with their lines)      exit 2
├── SettingError        an input, option or variable is wrong                          exit 2
├── DataHubError        DataHub could not be queried                                   exit 3
│   ├── UnreachableError    nothing usable came back in time: it may pass by itself
│   └── RefusedError        it answered, and the answer shows that a setting is wrong
│       └── TokenMissingError   a token is required, and none was given
└── WriteError          an output could not be written                                 exit 3
"""

from __future__ import annotations

from enum import IntEnum

# As typing has it, without its import: the library starts with this module.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import ClassVar, Self


class ExitCode(IntEnum):
    """What both faces return to the shell or the runner."""

    OK = 0
    BLOCKED = 1
    USAGE = 2
    DATAHUB = 3


class Hint(str):
    """Text of our own that names settings: what to do next, mostly.

    `{name}` stands for a setting, as the user of this run sets it; `{name|VARIABLE}` for the setting, or that variable
    where the environment is read. `{0}`, `{1}` stand for values, which may be untrusted: they are never looked
    through, and a hint among them is resolved with the rest. The template is a constant without other braces. Until it
    is resolved, the text has the names of the action's inputs.

        >>> Hint("Raise {timeout}.").resolved(lambda name, variable: f"--{name}")
        'Raise --timeout.'
    """

    __slots__ = ("template", "values")
    template: str
    values: tuple[object, ...]

    def __new__(cls, template: str, *values: object) -> Self:
        """Make the text, with the names of the action's inputs."""
        hint = super().__new__(cls, _filled(template, values, lambda *names: " or ".join(filter(None, names))))
        hint.template, hint.values = template, values
        return hint

    def resolved(self, name_of: Callable[[str, str], str]) -> str:
        """The text with other names: `name_of` is called with a setting, and a variable or nothing."""
        return _filled(self.template, self.values, name_of)


def _filled(template: str, values: tuple[object, ...], name_of: Callable[[str, str], str]) -> str:
    """Fill a template, in one pass: what is filled in is not looked through."""
    begin, *rest = template.split("{")
    filled = [begin]
    for piece in rest:
        word, _, text = piece.partition("}")
        setting, _, variable = word.partition("|")
        if not word.isdigit():
            filled += [name_of(setting, variable), text]
            continue
        value = values[int(word)]
        filled += [value.resolved(name_of) if isinstance(value, Hint) else str(value), text]
    return "".join(filled)


class GateError(Exception):
    """A failure that a person must act on.

    Args:
        message: What happened, and to which asset, setting or line.
        hint: What to do next, as a sentence; empty where the message includes it. A `Hint` names settings.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class SettingError(GateError):
    """An action input, command-line option or environment variable cannot be used."""


class DataHubError(GateError):
    """DataHub could not be queried."""

    exit_code: ClassVar[ExitCode] = ExitCode.DATAHUB


class UnreachableError(DataHubError):
    """Nothing usable came back within the time: the network, or a server that is down or busy."""


class RefusedError(DataHubError):
    """Something answered, and repeating the question cannot help: token, address, proxy or certificate."""


class TokenMissingError(RefusedError):
    """The server requires a token, and none was given."""


def most_severe(failures: Iterable[DataHubError | None]) -> DataHubError | None:
    """The failure that counts among several: a refusal, which no repetition corrects, before the others."""
    found = [failure for failure in failures if failure]
    return next((failure for failure in found if isinstance(failure, RefusedError)), found[0] if found else None)


class WriteError(GateError):
    """An incident could not be raised or resolved on an output."""

    exit_code: ClassVar[ExitCode] = ExitCode.DATAHUB
