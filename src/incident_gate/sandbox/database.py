"""The SQLite database under the store: tables and a lock, since tests and the server's thread share one connection."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
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

_NAMES = (
    "asset",
    "document",
    "sibling",
    "edge",
    "assertion",
    "moment",
    "incident",
    "incident_entity",
    "indexed",
    "summary",
    "pending",
)


class Database:
    """One connection behind one lock.

    Args:
        path: the file that keeps the data, or None to keep it in memory.
    """

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
            for name in _NAMES:
                connection.execute(f"DELETE FROM {name}")  # noqa: S608 - the names are the constants above

    def close(self) -> None:
        """Close the connection; the file stays."""
        with self._lock:
            self._connection.close()


def json_list(values: Iterable[str]) -> str:
    """A list as one SQL parameter, for `json_each`, which has no limit on the number of values."""
    return json.dumps(list(values))
