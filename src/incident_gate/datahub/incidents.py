"""Raising and resolving incidents so that nothing happens twice, even when answers are lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import NamedTuple

from incident_gate.datahub import queries
from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import Rejection, RequestFailure, TransientFailure
from incident_gate.errors import UnreachableError, WriteError
from incident_gate.incident import Mark, Priority, mark_in
from incident_gate.json_values import text

_URN_PREFIX = "urn:li:incident:"
# Messages of servers before anything is written, without a code that identifies them.
_REFUSED = re.compile(
    r"customType is required|not a valid destination|does not exist|unauthorized|not authorized|no value found",
    re.IGNORECASE,
)
GENERAL_TYPE = "OPERATIONAL"
_CONFLICT, _NOT_FOUND, _UNAUTHORIZED = 409, 404, 403


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIncident:
    """An incident to raise.

    `started_ms` is Unix time in milliseconds; servers before 1.0 drop it and the assignees. `is_type_derived` means
    that nobody chose the type: a server that does not know it gets the general one.
    """

    asset: str
    type: str
    title: str
    description: str
    custom_type: str | None = None
    priority: Priority | None = None
    assignees: tuple[str, ...] = ()
    started_ms: int | None = None
    is_type_derived: bool = False


class RaiseStatus(Enum):
    """What is known of one attempt to raise."""

    CREATED = auto()
    EXISTS = auto()  # the id is taken: by an earlier attempt, another job with the same key, or a stranger
    UNKNOWN = auto()  # the answer was lost, or does not show whether anything was written


class Attempt(NamedTuple):
    """One attempt to raise.

    `urn` is None where it is not known, and `reason` explains why. `has_id` means that it carried an id of ours: the
    same attempt again cannot create a second incident.
    """

    status: RaiseStatus
    urn: str | None = None
    reason: str = ""
    has_id: bool = False


class IncidentState(NamedTuple):
    """An incident as the primary store has it, without the search index's lag."""

    asset: str
    is_active: bool
    mark: Mark | None = None


class Writer:
    """Writes to one server; learns from its first refusal which generation it is. Shared by threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._raising: tuple[Operation, ...] = (
            queries.RAISE_WITH_ID,
            queries.RAISE_NAMED_PRIORITY,
            queries.RAISE_NUMBERED_PRIORITY,
        )
        self._resolving: tuple[Operation, ...] = (queries.RESOLVE_FIXED, queries.RESOLVE)

    def raise_incident(self, new: NewIncident, incident_id: str, *, hidden: int = 0) -> Attempt:
        """Try once to raise an incident.

        A server that accepts an id makes this repeatable, and it is repeated while there is time. To any other it is
        sent once, unless the request certainly did not arrive. `hidden` is how many active incidents of the asset the
        server counts and does not show: if there are any, only an id makes sure that this is no second one.

        Raises:
            WriteError: The server refuses it.
            DataHubError: No request succeeds, and nothing was written.
        """
        forms = self._raising
        refusals: list[RequestFailure] = []
        for position, form in enumerate(forms):
            if hidden and form is not queries.RAISE_WITH_ID:
                raise WriteError(
                    f"DataHub counts {hidden:,} more active incidents on {new.asset} than it shows: "
                    "one of them may be this job's, so none was raised.",
                    hint="Check that DataHub's search index and its database agree.",
                )
            outcome = self._raise_as(form, new, incident_id)
            if isinstance(outcome, Attempt) or outcome.rejection is not Rejection.INVALID:
                if position:
                    # Only now: an incident type that the server does not know is refused in every form, and does not
                    # show the server's generation.
                    self._raising = forms[position:]
                if isinstance(outcome, Attempt):
                    return outcome
                raise _write_error(outcome, f"No incident could be raised on {new.asset}")
            refusals.append(outcome)
        if new.is_type_derived:
            # Before 0.13.3 there are few types.
            general = replace(new, type=GENERAL_TYPE, is_type_derived=False)
            return self.raise_incident(general, incident_id, hidden=hidden)
        reason = next((refusal for refusal in refusals if new.type in refusal.message), refusals[-1])
        raise _write_error(reason, f"No incident could be raised on {new.asset}")

    def _raise_as(self, form: Operation, new: NewIncident, incident_id: str) -> Attempt | RequestFailure:
        """Try once in one of the forms; a failure means that nothing was written."""
        has_id = form is queries.RAISE_WITH_ID
        try:
            answer = self._client.execute(form, _variables(form, new, incident_id), repeatable=has_id)
        except TransientFailure as lost:
            return Attempt(RaiseStatus.UNKNOWN, reason=lost.message, has_id=has_id)
        except UnreachableError as error:
            if not has_id:
                raise
            # It was sent more than once, and any of the requests may have arrived.
            return Attempt(RaiseStatus.UNKNOWN, reason=error.message.rstrip("."), has_id=True)
        except RequestFailure as refusal:
            failure = refusal
        else:
            urn = text(answer.data, "raiseIncident")
            if urn.startswith(_URN_PREFIX):
                return Attempt(RaiseStatus.CREATED, urn=urn, has_id=has_id)
            errors = "; ".join(map(str, answer.errors)) or "DataHub's answer names no incident"
            failure = RequestFailure(errors, errors=answer.errors)
        if has_id and _CONFLICT in failure.codes:
            return Attempt(RaiseStatus.EXISTS, urn=f"{_URN_PREFIX}{incident_id}", has_id=True)
        if failure.may_have_executed and not _REFUSED.search(failure.message):
            return Attempt(RaiseStatus.UNKNOWN, reason=failure.message, has_id=has_id)
        return failure

    def keep(self, incident_urn: str, *, message: str, stage: str | None) -> bool | None:
        """Set the message of an active incident; False if it does not exist any more, None if the answer was lost.

        It is sent once: an attempt that is repeated later could open what a person has resolved meanwhile. The stage
        that it is in would be erased if it were not sent back. `updateIncident` is not used: on 1.0's first releases it
        removes the priority and the assignees.

        Raises:
            WriteError: The server refuses it.
            DataHubError: No request succeeds.
        """
        variables = {"urn": incident_urn, "message": message}
        try:
            if stage is None:
                return self._update(queries.KEEP, variables, repeatable=False)
            return self._update(queries.KEEP_IN_STAGE, variables | {"stage": stage}, repeatable=False)
        except TransientFailure:
            return None

    def resolve(self, incident_urn: str, message: str) -> bool:
        """Resolve an incident, as fixed where there are stages; False if it does not exist any more.

        Raises:
            WriteError: The server refuses it.
            DataHubError: No request succeeds.
        """
        while True:
            operation = self._resolving[0]
            try:
                return self._update(operation, {"urn": incident_urn, "message": message})
            except RequestFailure:
                if self._resolving[0] is operation:  # no other thread has moved on to the older form already
                    self._resolving = self._resolving[1:]

    def read_incident(self, incident_urn: str) -> IncidentState | None:
        """Read an incident from the primary store; None where the server does not show it, as open source does not."""
        try:
            entity = self._client.execute(queries.INCIDENT, {"urn": incident_urn}).data.get("entity")
        except RequestFailure:
            return None
        asset, state = text(entity, "entity", "urn"), text(entity, "status", "state")
        if not asset or not state:
            return None
        return IncidentState(asset, state == "ACTIVE", mark_in(text(entity, "description")))

    def _update(self, operation: Operation, variables: Mapping[str, object], *, repeatable: bool = True) -> bool:
        try:
            answer = self._client.execute(operation, variables, repeatable=repeatable)
        except RequestFailure as refusal:
            failure = refusal
        else:
            # The 2022 beta returns the word instead of the truth value.
            confirmed = answer.data.get("updateIncidentStatus")
            if confirmed is True or confirmed == "true":
                return True
            errors = "; ".join(map(str, answer.errors)) or "DataHub did not confirm it"
            failure = RequestFailure(errors, errors=answer.errors)
        if failure.rejection is Rejection.INVALID and operation is queries.RESOLVE_FIXED:
            raise failure
        if _NOT_FOUND in failure.codes:
            return False
        raise _write_error(failure, f"{variables['urn']} could not be updated") from failure


def _variables(operation: Operation, new: NewIncident, incident_id: str) -> Mapping[str, object]:
    by_name = operation is not queries.RAISE_NUMBERED_PRIORITY
    priority = None if new.priority is None else new.priority.name if by_name else int(new.priority)
    return {
        "asset": new.asset,
        "type": new.type,
        "customType": new.custom_type,
        "title": new.title,
        "description": new.description,
        "priority": priority,
        "assignees": list(new.assignees) or None,
        "startedAt": new.started_ms,
        "id": incident_id,
    }


def _write_error(failure: RequestFailure, what: str) -> WriteError:
    if _UNAUTHORIZED in failure.codes or "authorized" in failure.message:
        hint = "Give the token's user the privilege Edit Incidents on the asset."
        return WriteError("The token may not edit incidents on this asset.", hint=hint)
    hint = "Look the asset up in DataHub, and the type of the incident in the manifest."
    return WriteError(f"{what}: {failure.message}.", hint=hint)
