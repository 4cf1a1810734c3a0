"""The lists of an asset: its incidents, assertions and operations, and its health by each."""

from collections.abc import Mapping, Sequence
from typing import Any

from .failure import Code, ResolverError
from .faults import FaultKind
from .records import IncidentFilter, Urn
from .request import Call
from .results import matches, window
from .store import AssertionRecord, Rows, RunRecord
from .views import Loader, incident_view, priority_number

View = dict[str, Any]

_INCIDENT_PAGE = 20


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
    """A page of an asset's incidents; one that is indexed but not stored is counted and not listed."""
    strike, generation = call.strike, call.generation
    if strike.about(urn.text, FaultKind.NULL_INCIDENTS):
        return None
    if fault := strike.about(urn.text, FaultKind.FIELD_ERROR):
        raise ResolverError("Failed to retrieve incidents from GMS", Code(fault.code))
    first, size = window(call, page, _INCIDENT_PAGE, call.faults.page_limit)
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


_ASSERTION_PAGE = 200
_DEFAULT_RUNS = 10_000


def assertion_list(call: Call, rows: Rows, dataset: str, load: Loader, given: Mapping[str, Any]) -> View | None:
    """A page of a dataset's assertions: counted by the graph index, loaded from the primary store.

    The count includes what the list leaves out: assertions that are gone from the store, and soft-deleted ones.
    """
    if call.strike.about(dataset, FaultKind.NULL_ASSERTIONS):
        return None
    if fault := call.strike.about(dataset, FaultKind.ASSERTIONS_ERROR):
        raise ResolverError("Failed to retrieve assertions from GMS", Code(fault.code))
    first = given.get("start") or 0
    size = _ASSERTION_PAGE if given.get("count") is None else given["count"]
    if call.faults.assertion_page_limit is not None:
        size = min(size, call.faults.assertion_page_limit)
    urns = rows.assertions(dataset)
    removed = bool(given.get("includeSoftDeleted"))
    page = [load(urn) for urn in urns[first : first + size] if _is_listed(rows, urn, removed=removed)]
    return {"start": first, "count": size, "total": len(urns), "assertions": [view for view in page if view]}


def assertion_view(call: Call, rows: Rows, record: AssertionRecord, load: Loader) -> View:
    """The fields of an assertion."""

    def runs(_info: object, **given: Any) -> View | None:
        if call.strike.about(record.urn, FaultKind.NULL_RUNS) or call.strike.about(record.dataset, FaultKind.NULL_RUNS):
            return None
        fault = call.strike.about(record.urn, FaultKind.RUNS_ERROR)
        if fault := fault or call.strike.about(record.dataset, FaultKind.RUNS_ERROR):
            raise ResolverError("Failed to retrieve Assertion Run Events from GMS", Code(fault.code))
        return _runs(rows.runs(record.urn), given)

    asset = rows.asset(record.urn)
    return {
        "__typename": "Assertion",
        "urn": record.urn,
        "type": "ASSERTION",
        "platform": lambda _info: load(record.platform),
        "info": {
            "type": record.type,
            "description": record.description,
            "externalUrl": record.external_url,
            "source": {"type": "EXTERNAL"},
            "datasetAssertion": {
                "datasetUrn": record.dataset,
                "nativeType": record.native_type,
                "logic": record.logic,
            },
        },
        "status": None if asset is None or asset.removed is None else {"removed": asset.removed},
        "runEvents": runs,
    }


def operation_list(times: list[int], given: Mapping[str, Any]) -> list[View]:
    """The operations on a dataset, newest first."""
    operations: list[View] = [
        {
            "timestampMillis": at_ms,
            "lastUpdatedTimestamp": at_ms,
            "operationType": "UPDATE",
            "sourceType": "DATA_PROCESS",
        }
        for at_ms in times
        if _is_within(at_ms, given)
    ]
    return operations[: given.get("limit")]


def assertion_health(rows: Rows, dataset: str) -> View | None:
    """The element of the dataset's health about its assertions, or None where none of them ever ran."""
    latest = {
        urn: runs[0].result for urn in rows.assertions(dataset) if _is_listed(rows, urn) and (runs := rows.runs(urn))
    }
    if not latest:
        return None
    failing = [urn for urn, result in latest.items() if result == "FAILURE"]
    if not failing:
        return {"type": "ASSERTIONS", "status": "PASS", "message": "All assertions are passing", "causes": []}
    message = f"{len(failing)} of {len(latest)} assertions are failing"
    return {"type": "ASSERTIONS", "status": "FAIL", "message": message, "causes": failing}


def _is_listed(rows: Rows, urn: str, *, removed: bool = False) -> bool:
    asset = rows.asset(urn)
    return rows.assertion(urn) is not None and (removed or asset is None or not asset.removed)


def _runs(records: list[RunRecord], given: Mapping[str, Any]) -> View:
    """The runs that are asked for; the counts are of those that are returned."""
    limit = _DEFAULT_RUNS if given.get("limit") is None else given["limit"]
    conditions = (given.get("filter") or {}).get("and") or []
    views = [
        _run_view(record)
        for record in records
        if _is_within(record.at_ms, given)
        and matches([conditions], lambda field, record=record: _values(record, field))  # type: ignore[misc]
    ][:limit]
    results = [view["result"] and view["result"]["type"] for view in views]
    failed, succeeded = results.count("FAILURE"), results.count("SUCCESS")
    return {"total": len(views), "failed": failed, "succeeded": succeeded, "runEvents": views}


def _run_view(record: RunRecord) -> View:
    result = None
    if record.result is not None:
        error = None if record.error is None else {"type": record.error}
        result = {"type": record.result, "externalUrl": record.external_url, "error": error}
    return {
        "timestampMillis": record.at_ms,
        "assertionUrn": record.assertion,
        "asserteeUrn": record.dataset,
        "runId": record.run_id,
        "status": "COMPLETE",
        "result": result,
        "partitionSpec": {"type": "FULL_TABLE", "partition": "FULL_TABLE_SNAPSHOT"},
    }


def _values(record: RunRecord, field: str) -> tuple[str, ...]:
    values = {"asserteeUrn": record.dataset, "runId": record.run_id, "type": record.result}
    value = values.get(field)
    return () if value is None else (value,)


def _is_within(at_ms: int, given: Mapping[str, Any]) -> bool:
    begin, end = given.get("startTimeMillis"), given.get("endTimeMillis")
    return (begin is None or at_ms >= begin) and (end is None or at_ms <= end)
