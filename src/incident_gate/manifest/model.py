"""The manifest's types: the one place where its format is defined."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from incident_gate.datahub.model import Priority
from incident_gate.urn import Urn


class OnIncident(StrEnum):
    """What a blocking incident does to the run."""

    BLOCK = "block"
    WARN = "warn"
    IGNORE = "ignore"


class OnUnknown(StrEnum):
    """What an asset whose health could not be established does to the run."""

    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the manifest, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """An incident that a person decided to pass until the end of a day."""

    incident: str
    until: date
    reason: str
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class InputEntry:
    """An asset that must be healthy. None means: not said here, so the action's input or the manifest's defaults decide."""

    urn: Urn
    position: Position
    name: str | None = None
    on_incident: OnIncident | None = None
    on_unknown: OnUnknown | None = None
    types: frozenset[str] | None = None
    min_priority: Priority | None = None
    siblings: bool | None = None
    ignore: tuple[Waiver, ...] = ()

    @property
    def label(self) -> str:
        """The name a person gave it, else the one in the URN; untrusted text."""
        return self.name or self.urn.name


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentTemplate:
    """What an incident on an output looks like when this job raises it."""

    type: str = "OPERATIONAL"
    custom_type: str | None = None
    title: str | None = None
    description: str | None = None
    priority: Priority | None = None
    assignees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputEntry:
    """An asset that this job writes."""

    urn: Urn
    position: Position
    name: str | None = None
    incident: IncidentTemplate = field(default_factory=IncidentTemplate)

    @property
    def label(self) -> str:
        """The name a person gave it, else the one in the URN; untrusted text."""
        return self.name or self.urn.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What an entry that does not say otherwise inherits, after the action's own inputs."""

    on_incident: OnIncident | None = None
    on_unknown: OnUnknown | None = None
    types: frozenset[str] | None = None
    min_priority: Priority | None = None
    siblings: bool | None = None


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
    inputs: tuple[InputEntry, ...] = ()
    outputs: tuple[OutputEntry, ...] = ()
    defaults: Defaults = field(default_factory=Defaults)
    warnings: tuple[Mistake, ...] = ()
