"""The aspect `incidentsSummary` of each asset, which a hook keeps in the primary store."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .database import Database, json_list
from .pipeline import Pipeline
from .records import IncidentRecord
from .urn import parse_urn

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
        """The aspects of those of `entities` that have one.

        Args:
            entities: the assets.
            old_form: whether incidents are named by their URN alone, as hooks wrote it in the beginning.
        """
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
            "DELETE FROM summary WHERE entity = ?1 AND state = ?2 AND incident NOT IN "
            "(SELECT incident FROM summary WHERE entity = ?1 AND state = ?2 ORDER BY created DESC, incident LIMIT ?3)",
            (entity, state, _HELD),
        )
