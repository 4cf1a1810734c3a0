"""Raising and resolving incidents so that nothing happens twice, whatever becomes of the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from incident_gate.datahub import queries
from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import Rejection, RequestFailure, TransientFailure
from incident_gate.errors import UnreachableError, WriteError
from incident_gate.incident import Priority

_URN_PREFIX = "urn:li:incident:"
# What servers say before anything is written, without a code that would tell.
_REFUSED = re.compile(
    r"customType is required|not a valid destination|does not exist|unauthorized|not authorized|no value found",
    re.IGNORECASE,
)
_CONFLICT, _NOT_FOUND, _UNAUTHORIZED = 409, 404, 403


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIncident:
    """An incident to raise. `started_ms` is Unix time in milliseconds; servers before 1.0 drop it and the assignees."""

    asset: str
    type: str
    title: str
    description: str
    custom_type: str | None = None
    priority: Priority | None = None
    assignees: tuple[str, ...] = ()
    started_ms: int | None = None


class Landing(Enum):
    """What is known of one attempt to raise."""

    DONE = auto()
    EXISTS = auto()  # the id is taken: an earlier attempt, or another job with the same key, was there first
    OPEN = auto()  # nobody knows: the answer was lost, or said nothing of the write


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to raise.

    `urn` is None while nobody knows; `reason` says why it is open. `repeatable` means that it carried an id of ours:
    the same attempt again can never make a second incident.
    """

    landing: Landing
    urn: str | None = None
    reason: str = ""
    repeatable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of an incident without the search index's lag; None is what is not known."""

    is_active: bool | None = None
    created_ms: int | None = None


class Writer:
    """Writes to one server; learns from its first refusal which generation it is. Shared by threads.

    Args:
        client: Where to write.
    """

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

        A server that takes the id makes this repeatable, and it is repeated while there is time. Any other is asked
        once, unless the question certainly did not arrive.

        Args:
            new: What to raise.
            incident_id: The id to give it where the server takes one.
            hidden: How many incidents of the asset the server counts and does not show. If there are any, only an id
                makes sure that this is no second one.

        Raises:
            WriteError: The server refuses it.
            DataHubError: The conversation as a whole failed, and nothing was written.
        """
        forms = self._raising
        refusals: list[RequestFailure] = []
        for position, form in enumerate(forms):
            if hidden and form is not queries.RAISE_WITH_ID:
                raise WriteError(
                    f"DataHub counts {hidden:,} more incidents on {new.asset} than it shows: "
                    "one of them may be this job's, so none was raised.",
                    hint="Check that DataHub's search index and its database agree.",
                )
            outcome = self._raise_as(form, new, incident_id)
            if isinstance(outcome, Attempt) or outcome.rejection is not Rejection.INVALID:
                if position:
                    # Only now: an incident type that the server does not know is refused in every form, and says
                    # nothing of the server's generation.
                    self._raising = forms[position:]
                if isinstance(outcome, Attempt):
                    return outcome
                raise _not_raised(new, outcome)
            refusals.append(outcome)
        raise _not_raised(new, next((r for r in refusals if new.type in r.message), refusals[-1]))

    def _raise_as(self, form: Operation, new: NewIncident, incident_id: str) -> Attempt | RequestFailure:
        """Try once in one of the forms; a failure means that nothing was written."""
        repeatable = form is queries.RAISE_WITH_ID
        variables = _variables(form, new, incident_id)
        try:
            answer = self._client.execute(form, variables, repeatable=repeatable)
        except TransientFailure as lost:
            return Attempt(landing=Landing.OPEN, reason=lost.message, repeatable=repeatable)
        except UnreachableError as error:
            if not repeatable:
                raise
            # It was asked more than once, and any of the questions may have arrived.
            return Attempt(landing=Landing.OPEN, reason=error.message.rstrip("."), repeatable=True)
        except RequestFailure as refusal:
            failure = refusal
        else:
            urn = answer.data.get("raiseIncident")
            if isinstance(urn, str) and urn.startswith(_URN_PREFIX):
                return Attempt(landing=Landing.DONE, urn=urn, repeatable=repeatable)
            errors = "; ".join(map(str, answer.errors)) or "DataHub's answer names no incident"
            failure = RequestFailure(errors, errors=answer.errors)
        if repeatable and _CONFLICT in failure.codes:
            return Attempt(landing=Landing.EXISTS, urn=f"{_URN_PREFIX}{incident_id}", repeatable=True)
        if failure.may_have_executed and not _REFUSED.search(failure.message):
            return Attempt(landing=Landing.OPEN, reason=failure.message, repeatable=repeatable)
        return failure

    def keep(self, incident_urn: str, message: str) -> bool:
        """Say on an active incident that it goes on; False if it is gone.

        `updateIncident` is not used: on 1.0's first releases it removes the priority and the assignees.

        Raises:
            WriteError: The server refuses it.
            DataHubError: The conversation as a whole failed.
        """
        return self._update(queries.KEEP, incident_urn, message)

    def resolve(self, incident_urn: str, message: str) -> bool:
        """Resolve an incident, as fixed where there are stages; False if it is gone. Raises as `keep` does."""
        while True:
            operation = self._resolving[0]
            try:
                return self._update(operation, incident_urn, message)
            except RequestFailure:
                self._resolving = _after(self._resolving, operation)

    def look_up(self, incident_urn: str) -> Known:
        """What the primary store knows of an incident; nothing if the server will not tell."""
        try:
            entity = self._client.execute(queries.INCIDENT, {"urn": incident_urn}).data.get("entity")
        except RequestFailure:
            return Known()
        status, created = (entity.get(name) if isinstance(entity, dict) else None for name in ("status", "created"))
        state = status.get("state") if isinstance(status, dict) else None
        time = created.get("time") if isinstance(created, dict) else None
        return Known(
            is_active=state == "ACTIVE" if isinstance(state, str) else None,
            created_ms=time if isinstance(time, int) and not isinstance(time, bool) else None,
        )

    def _update(self, operation: Operation, incident_urn: str, message: str) -> bool:
        try:
            answer = self._client.execute(operation, {"urn": incident_urn, "message": message})
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
        raise _write_error(failure, f"{incident_urn} could not be updated") from failure


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


def _after(operations: tuple[Operation, ...], refused: Operation) -> tuple[Operation, ...]:
    """The older forms; unchanged if another thread has moved on already."""
    return operations[1:] if operations[0] is refused else operations


def _not_raised(new: NewIncident, failure: RequestFailure) -> WriteError:
    return _write_error(failure, f"No incident could be raised on {new.asset}")


def _write_error(failure: RequestFailure, what: str) -> WriteError:
    hint = "Look the asset up in DataHub, and the type of the incident in the manifest."
    if _UNAUTHORIZED in failure.codes or "authorized" in failure.message:
        hint = "Give the token's user the privilege Edit Incidents on the asset."
    return WriteError(f"{what}: {failure.message}.", hint=hint)
