"""The search index: what incident lists are counted and ordered by, some time behind the primary store."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from .database import Database, json_list
from .pipeline import Pipeline
from .records import IncidentFilter, IncidentPage, IncidentRecord


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
