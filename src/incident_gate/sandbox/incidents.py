"""The store's incidents: the primary store, the search index behind it, and each asset's aspect `incidentsSummary`."""

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from .database import Database, Pipeline, json_list
from .records import IncidentFilter, IncidentPage, IncidentRecord, parse_urn


class SearchIndex:
    """Incidents as searches see them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pipeline = Pipeline("index", _take_in)

    def put(self, connection: sqlite3.Connection, incident: IncidentRecord, lag: float) -> None:
        """Note the state of `incident`, to be seen after `lag` seconds."""
        row = [incident.created_ms, incident.state, incident.stage, incident.priority, json_list(incident.assignees)]
        self._pipeline.put(connection, incident.urn, [incident.entities, row], lag)

    def pages(self, entities: Iterable[str], wanted: IncidentFilter) -> dict[str, IncidentPage]:
        """The wanted page of each entity, newest first; an entity without hits is missing."""
        hits: dict[str, list[str]] = {}
        with self._database.transaction() as connection:
            self._pipeline.catch_up(connection)
            for entity, incident in connection.execute(
                """
                SELECT entity, incident FROM indexed
                WHERE entity IN (SELECT value FROM json_each(:entities))
                  AND (:state IS NULL OR state = :state)
                  AND (:stage IS NULL OR stage = :stage)
                  AND (:priority IS NULL OR priority = :priority)
                  AND (:assignees = '[]' OR EXISTS (
                    SELECT 1 FROM json_each(assignees) held
                    JOIN json_each(:assignees) asked ON held.value = asked.value))
                ORDER BY entity, created DESC, incident
                """,
                {
                    "entities": json_list(entities),
                    "state": wanted.state,
                    "stage": wanted.stage,
                    "priority": wanted.priority,
                    "assignees": json_list(wanted.assignees),
                },
            ):
                hits.setdefault(entity, []).append(incident)
        page = slice(wanted.start, wanted.start + wanted.count)
        return {entity: IncidentPage(len(found), tuple(found[page])) for entity, found in hits.items()}


def _take_in(connection: sqlite3.Connection, incident: str, change: Sequence[Any]) -> None:
    entities, row = change
    connection.execute("DELETE FROM indexed WHERE incident = ?", (incident,))
    connection.executemany(
        "INSERT OR IGNORE INTO indexed VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(entity, incident, *row) for entity in entities],
    )


# What the hook holds of each state before it drops the oldest.
_HELD = 100


class IncidentsSummary:
    """What the hook wrote: it follows every incident, creates the asset if need be, and never notices a deletion."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pipeline = Pipeline("hook", _summarize)

    def put(self, connection: sqlite3.Connection, incident: IncidentRecord, lag: float) -> None:
        """Let the hook take note of `incident` after `lag` seconds."""
        change = [incident.entities, incident.state, incident.type, incident.created_ms, incident.priority]
        self._pipeline.put(connection, incident.urn, change, lag)

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Write what is due."""
        self._pipeline.catch_up(connection)

    def write(self, entity: str, incidents: Mapping[str, Iterable[str]]) -> None:
        """Replace an asset's aspect; `incidents` holds URNs by their state."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM summary WHERE entity = ?", (entity,))
            connection.executemany(
                "INSERT INTO summary VALUES (?, ?, ?, 'OPERATIONAL', 0, NULL)",
                [(entity, urn, state) for state, urns in incidents.items() for urn in urns],
            )

    def with_active(self) -> frozenset[str]:
        """The assets whose aspect names an active incident."""
        with self._database.transaction() as connection:
            self.catch_up(connection)
            rows = connection.execute("SELECT DISTINCT entity FROM summary WHERE state = 'ACTIVE'")
            return frozenset(entity for (entity,) in rows)

    def payloads(self, entities: Iterable[str], *, old_form: bool) -> dict[str, dict[str, Any]]:
        """The aspects of those of `entities` that have one."""
        found: dict[str, dict[str, Any]] = {}
        with self._database.transaction() as connection:
            self.catch_up(connection)
            for entity, incident, state, kind, created, priority in connection.execute(
                "SELECT entity, incident, state, type, created, priority FROM summary "
                "WHERE entity IN (SELECT value FROM json_each(?)) ORDER BY entity, created, incident",
                (json_list(entities),),
            ):
                payload = found.setdefault(entity, {name: [] for name in _LISTS})
                name = state.lower() + ("Incidents" if old_form else "IncidentDetails")
                detail = {"urn": incident, "type": kind, "createdAt": created, "priority": priority}
                payload[name].append(incident if old_form else _without_nulls(detail))
        return found


_LISTS = ("activeIncidents", "resolvedIncidents", "activeIncidentDetails", "resolvedIncidentDetails")


def _without_nulls(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _summarize(connection: sqlite3.Connection, incident: str, change: Sequence[Any]) -> None:
    entities, state, kind, created, priority = change
    connection.execute("DELETE FROM summary WHERE incident = ?", (incident,))
    for entity in entities:
        # Writing an aspect makes the entity exist.
        row = (entity, parse_urn(entity).kind)
        connection.execute("INSERT OR IGNORE INTO asset VALUES (?, ?, NULL, '{}')", row)
        connection.execute("INSERT OR IGNORE INTO document VALUES (?, ?, NULL, '{}')", row)
        connection.execute(
            "INSERT OR REPLACE INTO summary VALUES (?, ?, ?, ?, ?, ?)",
            (entity, incident, state, kind, created, priority),
        )
        connection.execute(
            "DELETE FROM summary WHERE entity = :entity AND state = :state AND incident NOT IN (SELECT incident FROM "
            "summary WHERE entity = :entity AND state = :state ORDER BY created DESC, incident LIMIT :held)",
            {"entity": entity, "state": state, "held": _HELD},
        )


ACTOR = "urn:li:corpuser:datahub"


class IncidentExistsError(Exception):
    """An incident was to be created under an id that is taken."""


class Incidents:
    """The part of the store that holds incidents.

    What is written without `lag` and `hook_lag` is visible at once: so tests arrange a scene. With them, searches see
    it after `lag` seconds, and the hook that keeps the summaries follows after `hook_lag`, or never if that is None.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._index = SearchIndex(database)
        self._summary = IncidentsSummary(database)

    def raise_incident(  # noqa: PLR0913 - every one has a default
        self,
        urn: str | Sequence[str],
        *,
        title: str | None = None,
        type: str = "OPERATIONAL",  # noqa: A002 - the API's own name for it
        description: str | None = None,
        priority: int | None = None,
        custom_type: str | None = None,
        created_ms: int | None = None,
        stage: str | None = None,
        state: str = "ACTIVE",
        message: str | None = None,
        assignees: Sequence[str] = (),
        started_ms: int | None = None,
        incident_id: str | None = None,
        actor: str = ACTOR,
        lag: float = 0.0,
        hook_lag: float | None = 0.0,
    ) -> str:
        """Create an incident on one asset or on several. An asset that was never ingested exists from then on."""
        now = _now_ms() if created_ms is None else created_ms
        record = IncidentRecord(
            urn=f"urn:li:incident:{incident_id or uuid.uuid4()}",
            entities=(urn,) if isinstance(urn, str) else tuple(urn),
            type=type,
            custom_type=custom_type,
            title=title,
            description=description,
            priority=priority,
            state=state,
            stage=stage,
            message=message,
            assignees=tuple(assignees),
            started_ms=started_ms,
            created_ms=now,
            created_by=actor,
            updated_ms=now,
            updated_by=actor,
        )
        self._save(record, lag, hook_lag, new=True)
        return record.urn

    def resolve(
        self, incident_urn: str, *, message: str | None = None, lag: float = 0.0, hook_lag: float | None = 0.0
    ) -> None:
        """Set an incident's state to RESOLVED."""
        self.update_incident(incident_urn, {"state": "RESOLVED", "message": message}, lag=lag, hook_lag=hook_lag)

    def update_incident(
        self,
        incident_urn: str,
        changes: dict[str, Any],
        *,
        actor: str = ACTOR,
        lag: float = 0.0,
        hook_lag: float | None = 0.0,
    ) -> IncidentRecord:
        """Replace fields of an incident."""
        with self._database.transaction():
            record = self.incidents_by_urn([incident_urn])[incident_urn]
            record = replace(record, **changes, updated_ms=_now_ms(), updated_by=actor)
            self._save(record, lag, hook_lag, new=False)
        return record

    def incidents(self, asset_urn: str, state: str | None = None) -> list[IncidentRecord]:
        """An asset's incidents in the primary store, oldest first, without the search index."""
        rows = self._database.rows(
            "SELECT body FROM incident JOIN incident_entity ON incident = urn WHERE entity = ?", asset_urn
        )
        records = [_incident(body) for (body,) in rows]
        wanted = [record for record in records if state in {None, record.state}]
        return sorted(wanted, key=lambda record: (record.created_ms, record.urn))

    def incidents_by_urn(self, urns: Iterable[str]) -> dict[str, IncidentRecord]:
        """Those of `urns` that the primary store can load."""
        rows = self._database.rows(
            "SELECT urn, body FROM incident WHERE urn IN (SELECT value FROM json_each(?))", json_list(urns)
        )
        return {urn: _incident(body) for urn, body in rows}

    def lose_incident(self, incident_urn: str) -> None:
        """Take an incident out of the primary store only: it is still counted, but no longer listed."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM incident WHERE urn = ?", (incident_urn,))
            connection.execute("DELETE FROM incident_entity WHERE incident = ?", (incident_urn,))

    def delete_incident(self, incident_urn: str) -> None:
        """Delete an incident for good: searches no longer count it, but a summary that names it stays."""
        self.lose_incident(incident_urn)
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM indexed WHERE incident = ?", (incident_urn,))

    def set_summary(self, urn: str, *, active: Sequence[str] = (), resolved: Sequence[str] = ()) -> None:
        """Write an asset's `incidentsSummary` by hand, independent of its incidents: a hook that fails leaves it so."""
        self._summary.write(urn, {"ACTIVE": active, "RESOLVED": resolved})

    def catch_up_hook(self) -> None:
        """Let the hook do what is due: it makes assets exist."""
        with self._database.transaction() as connection:
            self._summary.catch_up(connection)

    def summaries(self, urns: Iterable[str], *, old_form: bool = False) -> dict[str, dict[str, Any]]:
        """The aspect `incidentsSummary` of those of `urns` that have one."""
        return self._summary.payloads(urns, old_form=old_form)

    def marked_active(self) -> frozenset[str]:
        """The assets on which the hook has set `hasActiveIncidents`."""
        return self._summary.with_active()

    def search_incidents(self, entities: Iterable[str], wanted: IncidentFilter) -> dict[str, IncidentPage]:
        """Ask the search index for a page of each entity's incidents."""
        return self._index.pages(entities, wanted)

    def _save(self, record: IncidentRecord, lag: float, hook_lag: float | None, *, new: bool) -> None:
        with self._database.transaction() as connection:
            if new and connection.execute("SELECT 1 FROM incident WHERE urn = ?", (record.urn,)).fetchone():
                raise IncidentExistsError(record.urn)
            connection.execute(
                "INSERT OR REPLACE INTO incident VALUES (?, ?)", (record.urn, json.dumps(asdict(record)))
            )
            connection.execute("DELETE FROM incident_entity WHERE incident = ?", (record.urn,))
            connection.executemany(
                "INSERT OR IGNORE INTO incident_entity VALUES (?, ?)",
                [(entity, record.urn) for entity in record.entities],
            )
            self._index.put(connection, record, lag)
            if hook_lag is not None:
                self._summary.put(connection, record, hook_lag)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _incident(body: str) -> IncidentRecord:
    fields = json.loads(body)
    return IncidentRecord(**{**fields, "entities": tuple(fields["entities"]), "assignees": tuple(fields["assignees"])})
