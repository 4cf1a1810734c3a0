"""What DataHub says of an asset, freed from the shape in which it says it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple


class Priority(IntEnum):
    """Severity on the one scale that both forms share: servers before 1.0 send the int, later ones the name."""

    CRITICAL = 0
    HIGH = 1
    MEDIUM = 2
    LOW = 3


# Every value of `IncidentType` that some generation of server knows: the last three only the 2022 beta.
INCIDENT_TYPES = (
    "FRESHNESS",
    "VOLUME",
    "FIELD",
    "SQL",
    "DATA_SCHEMA",
    "OPERATIONAL",
    "CUSTOM",
    "SLA",
    "DATASET_COLUMN",
    "DATASET_ROWS",
)


class Reason(StrEnum):
    """Why an asset's health could not be established."""

    NOT_FOUND = "not-found"  # never ingested: DataHub resolves any well-formed URN, only `exists` tells
    REMOVED = "removed"  # soft-deleted: still resolves
    EXISTENCE_UNKNOWN = "existence-unknown"  # the server would not say whether it exists
    NO_INCIDENTS_FIELD = "no-incidents-field"  # null or missing: the server does not track incidents of this
    HIDDEN = "hidden"  # a null element: missing, or not visible to the token
    ERROR = "error"  # the server failed on this asset
    NO_ANSWER = "no-answer"  # the request that carried it failed or ran out of time
    MALFORMED = "malformed"  # the answer is not what the schema promises


class Problem(NamedTuple):
    """One reason why an asset is `unknown`, with a sentence for the person who must act."""

    reason: Reason
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident as read; all text is untrusted.

    `asset` is the URN on which it is listed: the entry's own, or a sibling's. `created_ms` is Unix time in
    milliseconds. `type` and `priority` are None where the server left them out or sent something it has no name for.
    """

    urn: str
    asset: str
    type: str | None = None
    custom_type: str | None = None
    title: str | None = None
    description: str | None = None
    priority: Priority | None = None
    created_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Everything that DataHub said of one asset.

    `unread` counts active incidents that the server's index counts and its list does not show (`total` above the
    list): they are real until shown otherwise. `problems` is empty only when the answer is complete.
    `siblings` are the URNs whose incidents are included. `resolved` are the asset's own incidents that came along and
    are over.
    """

    urn: str
    incidents: tuple[Incident, ...] = ()
    unread: int = 0
    problems: tuple[Problem, ...] = ()
    siblings: tuple[str, ...] = ()
    resolved: tuple[Incident, ...] = ()
