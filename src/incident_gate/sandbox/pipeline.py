"""Changes that readers see some time after they were written: DataHub's indices and hooks work that way."""

import json
import sqlite3
import time
from collections.abc import Callable
from typing import Any

Apply = Callable[[sqlite3.Connection, str, Any], None]


class Pipeline:
    """A queue of changes. As in DataHub, those of one subject become visible in the order in which they were made.

    Args:
        name: the name of the queue in the table `pending`.
        apply: makes a change of a subject visible, given what `put` took.
    """

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
