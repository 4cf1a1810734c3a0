"""The stand-in's data: assets, their links and their incidents."""

import json
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .database import Database, json_list
from .index import SearchIndex
from .records import Asset, IncidentFilter, IncidentPage, IncidentRecord, Siblings
from .summary import IncidentsSummary
from .urn import parse_urn

ACTOR = "urn:li:corpuser:datahub"


class IncidentExistsError(Exception):
    """An incident was to be created under an id that is taken."""


class Store:
    """Primary store and search index.

    What is written without `lag` and `hook_lag` is visible at once: so tests arrange a scene. With them, searches see
    it after `lag` seconds, and the hook that keeps the summaries follows after `hook_lag`, or never if that is None.

    Args:
        path: the SQLite file that keeps the data, or None to keep it in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._database = Database(path)
        self._index = SearchIndex(self._database)
        self._summary = IncidentsSummary(self._database)

    # Assets

    def add_asset(  # noqa: PLR0913 - every one has a default
        self,
        urn: str,
        *,
        removed: bool | None = None,
        title: str | None = None,
        siblings: Sequence[str] = (),
        primary: bool = True,
        owners: Sequence[str] = (),
        tags: Sequence[str] = (),
        terms: Sequence[str] = (),
        domains: Sequence[str] = (),
        upstreams: Sequence[str] = (),
    ) -> str:
        """Ingest an asset, or replace it.

        Args:
            urn: the asset; so far unknown URNs that are named as siblings or upstreams stay never-ingested.
            removed: soft-deleted or not; None leaves the asset without a status, as most ingestions do.
            title: the name that DataHub shows instead of the one in the URN.
            siblings: the assets shown as one with this; the link is kept on both sides.
            primary: whether this asset leads its siblings.
            owners: URNs of users and groups.
            tags: URNs of tags.
            terms: URNs of glossary terms.
            domains: URNs of domains.
            upstreams: the assets that this one is made from.

        Returns:
            The URN itself.
        """
        kind = parse_urn(urn).kind
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO asset VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (urn, kind, removed, title, *map(json_list, (owners, tags, terms, domains))),
            )
            for sibling in siblings:
                connection.execute("INSERT OR IGNORE INTO sibling VALUES (?, ?, ?)", (urn, sibling, primary))
                connection.execute("INSERT OR IGNORE INTO sibling VALUES (?, ?, ?)", (sibling, urn, not primary))
            connection.executemany("INSERT OR IGNORE INTO lineage VALUES (?, ?)", [(up, urn) for up in upstreams])
        return urn

    def add_assets(self, urns: Iterable[str]) -> None:
        """Ingest many plain assets at once."""
        with self._database.transaction():
            for urn in urns:
                self.add_asset(urn)

    def assets(self, urns: Iterable[str]) -> dict[str, Asset]:
        """Those of `urns` that were ingested."""
        with self._database.transaction() as connection:
            self._summary.catch_up(connection)
        rows = self._database.rows(
            "SELECT urn, removed, title, owners, tags, terms, domains FROM asset "
            "WHERE urn IN (SELECT value FROM json_each(?))",
            json_list(urns),
        )
        return {row[0]: _asset(row) for row in rows}

    def all_assets(self) -> list[Asset]:
        """Every ingested asset, by URN."""
        sql = "SELECT urn, removed, title, owners, tags, terms, domains FROM asset ORDER BY urn"
        return [_asset(row) for row in self._database.rows(sql)]

    def siblings(self, urns: Iterable[str]) -> dict[str, Siblings]:
        """The siblings of those of `urns` that have any."""
        links: dict[str, tuple[bool, list[str]]] = {}
        for urn, sibling, is_primary in self._database.rows(
            "SELECT urn, sibling, is_primary FROM sibling WHERE urn IN (SELECT value FROM json_each(?)) ORDER BY rowid",
            json_list(urns),
        ):
            links.setdefault(urn, (bool(is_primary), []))[1].append(sibling)
        return {urn: Siblings(is_primary, tuple(found)) for urn, (is_primary, found) in links.items()}

    def neighbours(self, urn: str, *, downstream: bool) -> list[str]:
        """The assets one step down or up the lineage."""
        sql = (
            "SELECT downstream FROM lineage WHERE upstream = ? ORDER BY 1"
            if downstream
            else "SELECT upstream FROM lineage WHERE downstream = ? ORDER BY 1"
        )
        return [found for (found,) in self._database.rows(sql, urn)]

    # Incidents

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
        """Create an incident on one asset or on several. An asset that was never ingested exists from then on.

        Returns:
            The incident's URN.

        Raises:
            IncidentExistsError: `incident_id` is taken, by an active incident or a resolved one.
        """
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
        """Replace fields of an incident.

        Raises:
            KeyError: there is no such incident.
        """
        with self._database.transaction():
            record = self.incidents_by_urn([incident_urn])[incident_urn]
            record = replace(record, **changes, updated_ms=_now_ms(), updated_by=actor)
            self._save(record, lag, hook_lag, new=False)
        return record

    def incidents(self, asset_urn: str, state: str | None = None) -> list[IncidentRecord]:
        """An asset's incidents in the primary store, oldest first, whatever the search index knows."""
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

    def summaries(self, urns: Iterable[str], *, old_form: bool = False) -> dict[str, dict[str, Any]]:
        """The aspect `incidentsSummary` of those of `urns` that have one."""
        return self._summary.payloads(urns, old_form=old_form)

    def search_incidents(self, entities: Iterable[str], wanted: IncidentFilter) -> dict[str, IncidentPage]:
        """Ask the search index for a page of each entity's incidents."""
        return self._index.pages(entities, wanted)

    # Life

    def clear(self) -> None:
        """Forget everything."""
        self._database.clear()

    def close(self) -> None:
        """Close the database; nothing can be asked afterwards."""
        self._database.close()

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


def _asset(row: Sequence[Any]) -> Asset:
    urn, removed, title, *lists = row
    owners, tags, terms, domains = (() if text == "[]" else tuple(json.loads(text)) for text in lists)
    return Asset(
        urn=urn,
        removed=None if removed is None else bool(removed),
        title=title,
        owners=owners,
        tags=tags,
        terms=terms,
        domains=domains,
    )


def _incident(body: str) -> IncidentRecord:
    fields = json.loads(body)
    return IncidentRecord(**{**fields, "entities": tuple(fields["entities"]), "assignees": tuple(fields["assignees"])})
