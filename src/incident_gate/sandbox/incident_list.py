"""The field `incidents` of an asset: counted by the search index, loaded from the primary store."""

from collections.abc import Sequence
from typing import Any

from .call import Call
from .failure import Code, ResolverError
from .faults import FaultKind
from .incident_view import Loader, incident_view, priority_number
from .paging import window
from .records import IncidentFilter
from .rows import Rows
from .urn import Urn

View = dict[str, Any]

_DEFAULT_PAGE = 20


def incident_list(  # noqa: PLR0913 - the field's own arguments
    call: Call,
    rows: Rows,
    urn: Urn,
    load: Loader,
    *,
    state: str | None = None,
    stage: str | None = None,
    priority: str | None = None,
    assigneeUrns: Sequence[str] | None = None,  # noqa: N803 - the schema's name
    **page: int | None,
) -> View | None:
    """A page of an asset's incidents; one that is indexed but not stored is counted and not listed.

    Raises:
        ResolverError: the page lies beyond the limit of the search, or a fault requires it.
    """
    strike, generation = call.strike, call.generation
    if strike.about(urn.text, FaultKind.NULL_INCIDENTS):
        return None
    if fault := strike.about(urn.text, FaultKind.FIELD_ERROR):
        raise ResolverError("Failed to retrieve incidents from GMS", Code(fault.code))
    first, size = window(call, page, _DEFAULT_PAGE, call.faults.page_limit)
    if hides_incidents(call):
        return {"start": first, "count": size, "total": 0, "incidents": []}
    wanted = IncidentFilter(
        state=state,
        stage=stage,
        priority=priority_number(priority),
        assignees=tuple(assigneeUrns or ()),
        start=first,
        count=size,
    )
    found = rows.page(urn.text, wanted)
    records = (rows.incident(incident) for incident in found.urns)
    views = [incident_view(record, generation, load) for record in records if record is not None]
    if strike.about(urn.text, FaultKind.LOST_INCIDENTS):
        views = []
    return {"start": first, "count": size, "total": found.total, "incidents": views}


def incident_health(call: Call, rows: Rows, urn: str) -> View | None:
    """The element of an asset's health about its incidents, or None where the search for them fails."""
    if call.strike.about(urn, FaultKind.NULL_INCIDENTS, FaultKind.FIELD_ERROR):
        return None
    active = 0 if hides_incidents(call) else rows.page(urn, IncidentFilter(state="ACTIVE")).total
    if not active:
        return {"type": "INCIDENTS", "status": "PASS"}
    message = f"{active} active incident{'s' if active != 1 else ''}"
    return {"type": "INCIDENTS", "status": "FAIL", "message": message, "causes": ["ACTIVE_INCIDENTS"]}


def hides_incidents(call: Call) -> bool:
    """Whether searches find no incident: Cloud adds the token's view policies, and limited ones match none."""
    policies = call.grant.views
    return call.generation.is_cloud and policies is not None and all(policy.is_limited for policy in policies)
