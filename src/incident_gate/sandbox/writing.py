"""Mutations: raising incidents and changing them, and changing owners."""

from collections.abc import Iterable, Sequence
from typing import Any

from .failure import UNAUTHORIZED, Code, ResolverError
from .incidents import IncidentExistsError
from .records import IncidentRecord, is_urn
from .request import Call, requested_urn
from .views import priority_number

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
            "batchAddOwners": lambda _info, input: self.add_owners(input),  # noqa: A006
            "batchRemoveOwners": lambda _info, input: self.remove_owners(input),  # noqa: A006
        }

    def raise_incident(self, given: Input) -> str:
        """Create an incident."""
        resources = self._resources(given)
        self._check_privilege(resources)
        self._check_destinations(resources)
        missing = self._call.generation.missing_custom_type
        if given["type"] == "CUSTOM" and not given.get("customType") and missing is not None:
            raise ResolverError(missing)
        lag, hook_lag = self._call.book.lags()
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
                lag=lag,
                hook_lag=hook_lag,
            )
        except IncidentExistsError as error:
            raise ResolverError(f"Incident {error} already exists.", Code.CONFLICT) from error

    def update_status(self, urn: str, given: Input) -> bool:
        """Replace an incident's status as a whole: a stage or message that is not given is erased."""
        record = self._existing(urn)
        self._change(record, {name: given.get(name) for name in ("state", "stage", "message")})
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
        removes = not self._call.generation.has_ids
        if removes or "priority" in given:
            changes["priority"] = self._priority(given)
        if removes or "assigneeUrns" in given:
            changes["assignees"] = tuple(given.get("assigneeUrns") or ())
        self._change(record, changes)
        return True

    def add_owners(self, given: Input) -> bool:
        """Give each of some assets some owners more."""
        store = self._call.store
        owners = [owner["ownerUrn"] for owner in given["owners"]]
        resources = self._existing_resources(given, owners)
        lag, _ = self._call.book.lags()
        for resource in resources:
            for owner in given["owners"]:
                kind = owner.get("ownershipTypeUrn") or given.get("ownershipTypeUrn")
                store.add_owner(resource, owner["ownerUrn"], **({"type": kind} if kind else {}), lag=lag)
        return True

    def remove_owners(self, given: Input) -> bool:
        """Take owners of some assets away."""
        lag, _ = self._call.book.lags()
        for resource in self._existing_resources(given, ()):
            held = self._call.store.assets([resource])[resource].owners
            kept = tuple(owner for owner in held if owner.urn not in given["ownerUrns"])
            self._call.store.change_asset(resource, owners=kept, lag=lag)
        return True

    def _existing_resources(self, given: Input, owners: Sequence[str]) -> list[str]:
        resources = [requested_urn(item["resourceUrn"]).text for item in given["resources"]]
        self._check_privilege(resources)
        known = self._call.store.assets([*resources, *owners])
        for urn in (*resources, *owners):
            if urn not in known:
                raise ResolverError(f"Failed to change owners: {urn} does not exist.", Code.BAD_REQUEST)
        return resources

    def _change(self, record: IncidentRecord, changes: Input) -> None:
        call = self._call
        lag, hook_lag = call.book.lags()
        call.store.update_incident(record.urn, changes, actor=call.grant.actor, lag=lag, hook_lag=hook_lag)

    def _existing(self, text: str) -> IncidentRecord:
        urn = requested_urn(text).text
        record = self._call.store.incidents_by_urn([urn]).get(urn)
        if record is None:
            raise ResolverError("Failed to update incident. Incident does not exist.", Code.NOT_FOUND)
        self._check_privilege(record.entities[:1])
        return record

    def _resources(self, given: Input) -> Sequence[str]:
        several, single = given.get("resourceUrns"), given.get("resourceUrn")
        # Of several, those that cannot be parsed are dropped silently.
        readable = [requested_urn(single).text] if several is None and single is not None else []
        readable += [urn for urn in dict.fromkeys(several or ()) if is_urn(urn)]
        if not readable:
            raise ResolverError("At least 1 resource urn must be defined to raise an incident.", Code.BAD_REQUEST)
        return readable

    def _check_privilege(self, resources: Iterable[str]) -> None:
        if not all(self._call.grant.may_edit(urn) for urn in resources):
            raise ResolverError(UNAUTHORIZED, Code.UNAUTHORIZED)

    def _check_destinations(self, resources: Sequence[str]) -> None:
        for urn in resources:
            if requested_urn(urn).kind not in self._call.generation.destinations:
                raise ResolverError(
                    f"Entity type for urn: {urn} is not a valid destination for field path: /entities/*"
                )

    def _priority(self, given: Input) -> int | None:
        priority = given.get("priority")
        return priority_number(priority) if self._call.generation.has_stages else priority
