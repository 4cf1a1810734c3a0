"""The search index: what incident lists are counted and ordered by, some time behind the primary store."""

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence

from .database import Database, json_list
from .records import IncidentFilter, IncidentPage, IncidentRecord


class SearchIndex:
    """Incidents as searches see them.

    A write is put down in `pending` with the time at which it becomes visible; a search first takes in what is due.
    As in the real pipeline, the changes of one incident become visible in the order in which they were made.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next_due = 0.0

    def put(self, connection: sqlite3.Connection, incident: IncidentRecord, lag: float) -> None:
        """Note the state of `incident`, to be seen after `lag` seconds."""
        body = {
            "entities": incident.entities,
            "row": [
                incident.created_ms,
                incident.state,
                incident.stage,
                incident.priority,
                json_list(incident.assignees),
            ],
        }
        (waiting,) = connection.execute(
            "SELECT max(visible_at) FROM pending WHERE incident = ?", (incident.urn,)
        ).fetchone()
        if waiting is None and lag <= 0:
            _take_in(connection, incident.urn, body)
            return
        visible_at = max(time.time() + lag, waiting or 0.0)
        connection.execute(
            "INSERT INTO pending (incident, visible_at, body) VALUES (?, ?, ?)",
            (incident.urn, visible_at, json.dumps(body)),
        )
        self._next_due = min(self._next_due, visible_at)

    def pages(self, entities: Iterable[str], wanted: IncidentFilter) -> dict[str, IncidentPage]:
        """The wanted page of each entity, newest first; an entity without hits is missing."""
        hits: dict[str, list[str]] = {}
        with self._database.transaction() as connection:
            self._catch_up(connection)
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

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        now = time.time()
        if now < self._next_due:
            return
        due = connection.execute(
            "SELECT incident, body FROM pending WHERE visible_at <= ? ORDER BY sequence", (now,)
        ).fetchall()
        for incident, body in due:
            _take_in(connection, incident, json.loads(body))
        connection.execute("DELETE FROM pending WHERE visible_at <= ?", (now,))
        (soonest,) = connection.execute("SELECT min(visible_at) FROM pending").fetchone()
        self._next_due = float("inf") if soonest is None else soonest


def _take_in(connection: sqlite3.Connection, incident: str, body: Mapping[str, Sequence[object]]) -> None:
    connection.execute("DELETE FROM indexed WHERE incident = ?", (incident,))
    connection.executemany(
        "INSERT OR IGNORE INTO indexed VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(entity, incident, *body["row"]) for entity in body["entities"]],
    )
