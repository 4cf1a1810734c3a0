"""The manifest's types: the one place where its format is defined.

A field with a `Key` is a key of the file, spelled with hyphens; its type says what may stand there. The decoder and the
JSON Schema are both made from these annotations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from incident_gate.incident import INCIDENT_TYPES, Priority
from incident_gate.urn import Urn


class Text(NamedTuple):
    """What a text must be like: its length, whether it may have several lines, and a pattern with words for it."""

    expected: str = "a text on one line"
    max_length: int = 500
    multiline: bool = False
    pattern: str = r"\S"


class Key(NamedTuple):
    """A key of the file.

    Args:
        doc: What it means, for editors.
        text: What a text here must be like.
        choices: The words allowed, where the type alone allows more.
        min_items: The least number of items of a list.
        unique: The key of a list's items that no two may share.
        shorthand: Whether this value alone may stand for its whole mapping.
        only_with: Another key and its value: this key is required with it, and a mistake without it.
    """

    doc: str
    text: Text = Text()
    choices: tuple[str, ...] = ()
    min_items: int = 0
    unique: str | None = None
    shorthand: bool = False
    only_with: tuple[str, str] | None = None


class OnIncident(StrEnum):
    """What a blocking incident does to the run."""

    BLOCK = "block"
    WARN = "warn"
    IGNORE = "ignore"


class OnUnknown(StrEnum):
    """What an asset whose health could not be established does to the run."""

    BLOCK = "block"
    WARN = "warn"


class Position(NamedTuple):
    """A place in the manifest, both counted from 1."""

    line: int
    column: int


_NAME = Text(max_length=200)
_INCIDENT_URN = Text(expected="urn:li:incident:<id>", pattern=r"^urn:li:incident:[^\s(),]+$")
_OWNER_URN = Text(
    expected="urn:li:corpuser:<name> or urn:li:corpGroup:<name>",
    pattern=r"^urn:li:(corpuser|corpGroup):[^\s(),]+( +[^\s(),]+)*$",
)
_TYPES = "Only incidents of these types count. Default: all."
_MIN_PRIORITY = "Only incidents of this priority or a more severe one count; one without a priority always does."
_ON_UNKNOWN = "What to do when the asset's health could not be established."
_SIBLINGS = "Whether incidents of the asset's siblings (a dbt model and its table) count too. Default: true."


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """An incident that a person decided to pass until the end of a day."""

    incident: Annotated[str, Key(doc="The incident to pass.", text=_INCIDENT_URN)]
    until: Annotated[date, Key(doc="The last day on which it is passed.")]
    reason: Annotated[str, Key(doc="Why, for whoever reads the report.")]
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class InputEntry:
    """An asset that must be healthy.

    None means: not said here, so the action's input or the manifest's defaults decide.
    """

    urn: Annotated[Urn, Key(doc="The asset's URN, as DataHub shows it.", shorthand=True)]
    position: Position
    name: Annotated[str | None, Key(doc="Shown instead of the name in the URN.", text=_NAME)] = None
    on_incident: Annotated[OnIncident | None, Key(doc="What an incident on this asset does to the run.")] = None
    on_unknown: Annotated[OnUnknown | None, Key(doc=_ON_UNKNOWN)] = None
    types: Annotated[frozenset[str] | None, Key(doc=_TYPES, choices=INCIDENT_TYPES, min_items=1)] = None
    min_priority: Annotated[Priority | None, Key(doc=_MIN_PRIORITY)] = None
    siblings: Annotated[bool | None, Key(doc=_SIBLINGS)] = None
    ignore: Annotated[tuple[Waiver, ...], Key(doc="Incidents that are known and passed, each until a day.")] = ()

    @property
    def label(self) -> str:
        """The name a person gave it, else the one in the URN; untrusted text."""
        return self.name or self.urn.name


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentTemplate:
    """What an incident on an output looks like when this job raises it."""

    type: Annotated[str, Key(doc="The incident's type.", choices=INCIDENT_TYPES)] = "OPERATIONAL"
    custom_type: Annotated[
        str | None, Key(doc="The name of a type of your own.", text=_NAME, only_with=("type", "CUSTOM"))
    ] = None
    title: Annotated[str | None, Key(doc="The incident's title. Default: generated.")] = None
    description: Annotated[
        str | None,
        Key(
            doc="Text before the generated description.",
            text=Text(expected="a text", max_length=10_000, multiline=True),
        ),
    ] = None
    priority: Annotated[Priority | None, Key(doc="The incident's priority.")] = None
    assignees: Annotated[tuple[str, ...], Key(doc="The users or groups to assign it to.", text=_OWNER_URN)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputEntry:
    """An asset that this job writes."""

    urn: Annotated[Urn, Key(doc="The asset's URN, as DataHub shows it.", shorthand=True)]
    position: Position
    name: Annotated[str | None, Key(doc="Shown instead of the name in the URN.", text=_NAME)] = None
    incident: Annotated[IncidentTemplate, Key(doc="What the incident looks like that a failed job raises.")] = field(
        default_factory=IncidentTemplate
    )

    @property
    def label(self) -> str:
        """The name a person gave it, else the one in the URN; untrusted text."""
        return self.name or self.urn.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What an entry that does not say otherwise inherits, after the action's own inputs."""

    on_incident: Annotated[
        OnIncident | None, Key(doc="What an incident does to the run.", choices=("block", "warn"))
    ] = None
    on_unknown: Annotated[OnUnknown | None, Key(doc=_ON_UNKNOWN)] = None
    types: Annotated[frozenset[str] | None, Key(doc=_TYPES, choices=INCIDENT_TYPES, min_items=1)] = None
    min_priority: Annotated[Priority | None, Key(doc=_MIN_PRIORITY)] = None
    siblings: Annotated[bool | None, Key(doc=_SIBLINGS)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Something wrong in a manifest, or (as a warning) something that has run out."""

    position: Position
    message: str
    expected: str = ""

    def __str__(self) -> str:
        return f"{self.message}; expected {self.expected}" if self.expected else self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest without mistakes. `path` is as the user gave it; `warnings` are told and stop nothing."""

    path: str
    version: Annotated[Literal[1], Key(doc="The version of this file's format.")] = 1
    defaults: Annotated[Defaults, Key(doc="What holds for every input that does not say otherwise.")] = field(
        default_factory=Defaults
    )
    inputs: Annotated[
        tuple[InputEntry, ...], Key(doc="The assets that must be healthy before the job runs.", unique="urn")
    ] = ()
    outputs: Annotated[tuple[OutputEntry, ...], Key(doc="The assets that the job writes.", unique="urn")] = ()
    warnings: tuple[Mistake, ...] = ()
