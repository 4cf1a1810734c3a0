"""Mutations: raising incidents and changing them."""

from collections.abc import Iterable, Sequence
from typing import Any

from .call import Call, taken_apart
from .failure import UNAUTHORIZED, Code, ResolverError
from .generation import Generation
from .incident_view import priority_number
from .records import IncidentRecord
from .store import IncidentExistsError

Input = dict[str, Any]


class Writing:
    """What one request writes."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def fields(self) -> dict[str, Any]:
        """The resolvers of Mutation."""
        return {
            "raiseIncident": lambda _info, input: self.raise_incident(input),  # noqa: A006 - the schema's name
            "updateIncidentStatus": lambda _info, urn, input: self.update_status(urn, input),  # noqa: A006
            "updateIncident": lambda _info, urn, input: self.update(urn, input),  # noqa: A006
        }

    def raise_incident(self, given: Input) -> str:
        """Create an incident.

        Raises:
            ResolverError: not allowed, an asset that cannot have incidents or is unknown, an id that is taken.
        """
        resources = self._resources(given)
        self._check_privilege(resources)
        self._check_destinations(resources)
        if given["type"] == "CUSTOM" and not given.get("customType"):
            raise ResolverError("java.lang.RuntimeException: customType is required: Failed to create incident.")
        status = given.get("status") or {"state": "ACTIVE"}
        try:
            return self._call.store.raise_incident(
                resources,
                title=given.get("title"),
                type=given["type"],
                description=given.get("description"),
                priority=self._priority(given),
                custom_type=given.get("customType"),
                state=status["state"],
                stage=status.get("stage"),
                message=status.get("message"),
                assignees=given.get("assigneeUrns") or (),
                started_ms=given.get("startedAt"),
                incident_id=given.get("id"),
                actor=self._call.grant.actor,
                lag=self._call.book.lag(),
            )
        except IncidentExistsError as error:
            raise ResolverError(f"Incident {error} already exists.", Code.CONFLICT) from error

    def update_status(self, urn: str, given: Input) -> bool:
        """Set an incident's state, and its message and stage where they are given.

        Returns:
            True, which the schema of G1, with its result of type String, turns into "true".
        """
        record = self._existing(urn)
        changes = {name: given[name] for name in ("state", "stage", "message") if given.get(name) is not None}
        self._change(record, changes)
        return True

    def update(self, urn: str, given: Input) -> bool:
        """Change an incident.

        G3 takes priority and assignees that are left out as removed; G4 leaves them alone.
        """
        record = self._existing(urn)
        changes: Input = {}
        for name in ("title", "description"):
            if given.get(name) is not None:
                changes[name] = given[name]
        if given.get("startedAt") is not None:
            changes["started_ms"] = given["startedAt"]
        if given.get("status") is not None:
            changes |= {name: given["status"].get(name) for name in ("state", "stage", "message")}
        if given.get("resourceUrns") is not None:
            resources = self._resources(given)
            self._check_privilege(resources)
            changes["entities"] = tuple(resources)
        removes = self._call.generation is Generation.G3
        if removes or "priority" in given:
            changes["priority"] = self._priority(given)
        if removes or "assigneeUrns" in given:
            changes["assignees"] = tuple(given.get("assigneeUrns") or ())
        self._change(record, changes)
        return True

    def _change(self, record: IncidentRecord, changes: Input) -> None:
        call = self._call
        call.store.update_incident(record.urn, changes, actor=call.grant.actor, lag=call.book.lag())

    def _existing(self, text: str) -> IncidentRecord:
        urn = taken_apart(text).text
        record = self._call.store.incidents_by_urn([urn]).get(urn)
        if record is None:
            raise ResolverError("Failed to update incident. Incident does not exist.", Code.NOT_FOUND)
        self._check_privilege(record.entities)
        return record

    def _resources(self, given: Input) -> Sequence[str]:
        several = given.get("resourceUrns")
        if several is None and given.get("resourceUrn") is not None:
            several = [given["resourceUrn"]]
        if not several:
            raise ResolverError("At least 1 resource urn must be defined to raise an incident.", Code.BAD_REQUEST)
        return [taken_apart(urn).text for urn in dict.fromkeys(several)]

    def _check_privilege(self, resources: Iterable[str]) -> None:
        if not all(self._call.grant.may_edit(urn) for urn in resources):
            raise ResolverError(UNAUTHORIZED, Code.UNAUTHORIZED)

    def _check_destinations(self, resources: Sequence[str]) -> None:
        for urn in resources:
            if taken_apart(urn).kind not in self._call.generation.incident_types:
                raise ResolverError(
                    f"Entity type for urn: {urn} is not a valid destination for field path: /entities/*"
                )
        known = self._call.store.assets(resources)
        for urn in resources:
            if urn not in known and not self._call.faults.accept_unknown_resource:
                raise ResolverError(
                    f"Failed to update resource with urn {urn}. Entity does not exist.", Code.BAD_REQUEST
                )

    def _priority(self, given: Input) -> int | None:
        priority = given.get("priority")
        return priority_number(priority) if self._call.generation.has_stages else priority
