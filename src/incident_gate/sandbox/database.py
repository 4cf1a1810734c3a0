"""The SQLite database under the store, and the queues of what its readers see later."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS asset (
  urn TEXT PRIMARY KEY, kind TEXT NOT NULL, removed INTEGER, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS document (
  urn TEXT PRIMARY KEY, kind TEXT NOT NULL, removed INTEGER, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sibling (
  urn TEXT NOT NULL, sibling TEXT NOT NULL, is_primary INTEGER NOT NULL, PRIMARY KEY (urn, sibling)
);
CREATE TABLE IF NOT EXISTS edge (
  source TEXT NOT NULL, target TEXT NOT NULL, relationship TEXT NOT NULL, PRIMARY KEY (source, relationship, target)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS edge_target ON edge (target, relationship);
CREATE TABLE IF NOT EXISTS assertion (urn TEXT PRIMARY KEY, dataset TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moment (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS moment_subject ON moment (subject);
CREATE TABLE IF NOT EXISTS incident (urn TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS incident_entity (
  entity TEXT NOT NULL, incident TEXT NOT NULL, PRIMARY KEY (entity, incident)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS indexed (
  entity TEXT NOT NULL, incident TEXT NOT NULL, created INTEGER NOT NULL,
  state TEXT NOT NULL, stage TEXT, priority INTEGER, assignees TEXT NOT NULL, PRIMARY KEY (entity, incident)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS indexed_incident ON indexed (incident);
CREATE TABLE IF NOT EXISTS summary (
  entity TEXT NOT NULL, incident TEXT NOT NULL, state TEXT NOT NULL, type TEXT NOT NULL,
  created INTEGER NOT NULL, priority INTEGER, PRIMARY KEY (entity, state, created, incident)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS summary_incident ON summary (incident);
CREATE TABLE IF NOT EXISTS pending (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, pipeline TEXT NOT NULL, subject TEXT NOT NULL,
  visible_at REAL NOT NULL, change TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS pending_subject ON pending (pipeline, subject);
"""


class Database:
    """One connection behind one lock."""

    def __init__(self, path: Path | None = None) -> None:
        target = str(path) if path is not None else ":memory:"
        self._connection = sqlite3.connect(target, check_same_thread=False, isolation_level=None)
        self._lock = threading.RLock()
        # Data of a sandbox is worth no fsync; durability across a crash of the machine is not promised.
        self._connection.executescript(f"PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; {_TABLES}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block's statements, or none of them, and nobody else's in between."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, *parameters: object) -> list[Any]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def clear(self) -> None:
        """Empty every table."""
        with self.transaction() as connection:
            tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            for (name,) in connection.execute(tables).fetchall():
                connection.execute(f"DELETE FROM {name}")  # noqa: S608 - the names are those of the tables above

    def close(self) -> None:
        """Close the connection; the file stays."""
        with self._lock:
            self._connection.close()


def json_list(values: Iterable[str]) -> str:
    """A list as one SQL parameter, for `json_each`, which has no limit on the number of values."""
    return json.dumps(list(values))


Apply = Callable[[sqlite3.Connection, str, Any], None]


class Pipeline:
    """A queue of changes. As in DataHub, those of one subject become visible in the order in which they were made."""

    def __init__(self, name: str, apply: Apply) -> None:
        self._name = name
        self._apply = apply
        self._next_due = 0.0

    def put(self, connection: sqlite3.Connection, subject: str, change: Any, lag: float) -> None:
        """Make a change of `subject` visible after `lag` seconds."""
        (waiting,) = connection.execute(
            "SELECT max(visible_at) FROM pending WHERE pipeline = ? AND subject = ?", (self._name, subject)
        ).fetchone()
        if waiting is None and lag <= 0:
            self._apply(connection, subject, change)
            return
        visible_at = max(time.time() + lag, waiting or 0.0)
        connection.execute(
            "INSERT INTO pending (pipeline, subject, visible_at, change) VALUES (?, ?, ?, ?)",
            (self._name, subject, visible_at, json.dumps(change)),
        )
        self._next_due = min(self._next_due, visible_at)

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Apply what is due."""
        now = time.time()
        if now < self._next_due:
            return
        due = connection.execute(
            "SELECT subject, change FROM pending WHERE pipeline = ? AND visible_at <= ? ORDER BY sequence",
            (self._name, now),
        ).fetchall()
        for subject, change in due:
            self._apply(connection, subject, json.loads(change))
        connection.execute("DELETE FROM pending WHERE pipeline = ? AND visible_at <= ?", (self._name, now))
        (soonest,) = connection.execute(
            "SELECT min(visible_at) FROM pending WHERE pipeline = ?", (self._name,)
        ).fetchone()
        self._next_due = float("inf") if soonest is None else soonest
