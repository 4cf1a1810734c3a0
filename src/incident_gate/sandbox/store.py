"""The stand-in's data."""

from collections.abc import Iterable
from pathlib import Path

from .assertions import Assertions
from .database import Database
from .incidents import Incidents
from .records import Asset


class Store(Assertions, Incidents):
    """Primary store, search index, graph index, and the hook that connects them.

    Args:
        path: the SQLite file that keeps the data, or None to keep it in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        database = Database(path)
        Assertions.__init__(self, database)
        Incidents.__init__(self, database)

    def assets(self, urns: Iterable[str]) -> dict[str, Asset]:
        """Those of `urns` that exist in the primary store."""
        self.catch_up_hook()
        return super().assets(urns)

    def documents(self) -> list[Asset]:
        """Every asset that the search index knows, as it knows it, by URN."""
        self.catch_up_hook()
        return super().documents()

    def clear(self) -> None:
        """Delete everything."""
        self._database.clear()

    def close(self) -> None:
        """Close the database; nothing can be asked afterwards."""
        self._database.close()
