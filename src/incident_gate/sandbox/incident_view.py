"""Incidents in the shape of each generation's schema."""

from collections.abc import Callable
from typing import Any

from .generation import Generation
from .records import IncidentRecord

# Stored as numbers; since G3 shown as names.
_PRIORITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")

Loader = Callable[[str], dict[str, Any] | None]


def priority_number(name: str | None) -> int | None:
    """The stored form of a priority's name."""
    return None if name is None else _PRIORITIES.index(name)


def incident_view(record: IncidentRecord, generation: Generation, load: Loader) -> dict[str, Any]:
    """The fields of an incident.

    Args:
        record: the incident.
        generation: decides how its priority is shown.
        load: finds the view of an entity that the incident refers to.
    """
    status = {
        "state": record.state,
        "stage": record.stage,
        "message": record.message,
        "lastUpdated": {"time": record.updated_ms, "actor": record.updated_by},
    }
    return {
        "__typename": "Incident",
        "urn": record.urn,
        "type": "INCIDENT",
        "incidentType": record.type,
        "customType": record.custom_type,
        "title": record.title,
        "description": record.description,
        "status": status,
        "incidentStatus": status,
        "priority": _shown_priority(record.priority, generation),
        "assignees": lambda _info: [load(urn) for urn in record.assignees] or None,
        "entity": lambda _info: load(record.entities[0]),
        "source": {"type": "MANUAL", "source": None},
        "startedAt": record.started_ms,
        "created": {"time": record.created_ms, "actor": record.created_by},
    }


def _shown_priority(number: int | None, generation: Generation) -> int | str | None:
    if number is None or not generation.has_stages:
        return number
    return _PRIORITIES[number] if 0 <= number < len(_PRIORITIES) else None
