"""The store's assets: the primary store, the search index behind it, and the links between them."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from .database import Database, Pipeline, json_list
from .records import Asset, OwnerRecord, Siblings, parse_urn


class Assets:
    """The part of the store that holds assets. Whatever is written is visible after `lag` seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = Pipeline("documents", _index)
        self._graph = Pipeline("graph", _connect)

    def add_asset(  # noqa: PLR0913 - every one has a default
        self,
        urn: str,
        *,
        removed: bool | None = None,
        title: str | None = None,
        description: str | None = None,
        siblings: Sequence[str] = (),
        primary: bool = True,
        owners: Sequence[str] = (),
        tags: Sequence[str] = (),
        terms: Sequence[str] = (),
        domains: Sequence[str] = (),
        containers: Sequence[str] = (),
        data_products: Sequence[str] = (),
        subtypes: Sequence[str] = (),
        platform_instance: str | None = None,
        upstreams: Sequence[str] = (),
        profile: Mapping[str, Any] | None = None,
        editable_profile: Mapping[str, Any] | None = None,
        lag: float = 0.0,
    ) -> str:
        """Ingest an entity of any type, or replace it; returns its URN.

        Unknown URNs that are named as siblings, upstreams, tags and so on stay never-ingested. `removed` is None where
        the asset has no status, as most ingestions leave it. The link to `siblings` is kept on both sides; `primary`
        leads them. Of `containers`, the innermost comes first. A user or group has a `profile` (`displayName`, `email`,
        `slack` and so on), and what it wrote of itself. Searches see all of it after `lag` seconds.
        """
        asset = Asset(
            urn=urn,
            removed=removed,
            title=title,
            description=description,
            owners=tuple(map(OwnerRecord, owners)),
            tags=tuple(tags),
            terms=tuple(terms),
            domains=tuple(domains),
            containers=tuple(containers),
            data_products=tuple(data_products),
            subtypes=tuple(subtypes),
            platform_instance=platform_instance,
            profile=profile or {},
            editable_profile=editable_profile or {},
        )
        with self._database.transaction() as connection:
            self._put(connection, asset, lag)
            for sibling in siblings:
                connection.execute("INSERT OR IGNORE INTO sibling VALUES (?, ?, ?)", (urn, sibling, primary))
                connection.execute("INSERT OR IGNORE INTO sibling VALUES (?, ?, ?)", (sibling, urn, not primary))
            for upstream in upstreams:
                self.add_lineage(upstream, urn, lag=lag)
        return urn

    def add_assets(self, urns: Iterable[str]) -> None:
        """Ingest many plain assets at once."""
        with self._database.transaction():
            for urn in urns:
                self.add_asset(urn)

    def change_asset(self, urn: str, *, lag: float = 0.0, **changes: Any) -> None:
        """Replace fields of an asset, as `removed` or `title`; searches see it after `lag` seconds."""
        with self._database.transaction() as connection:
            self._put(connection, replace(self.assets([urn])[urn], **changes), lag)

    def delete_asset(self, urn: str) -> None:
        """Delete an asset for good, from the primary store: the search and graph indices still know it."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM asset WHERE urn = ?", (urn,))
            connection.execute("DELETE FROM summary WHERE entity = ?", (urn,))

    def add_tag(self, urn: str, tag: str, *, lag: float = 0.0) -> None:
        """Tag an asset; the tag exists from then on."""
        self._attach(urn, "tags", tag, lag)

    def add_term(self, urn: str, term: str, *, lag: float = 0.0) -> None:
        """Give an asset a glossary term; the term exists from then on."""
        self._attach(urn, "terms", term, lag)

    def add_domain(self, urn: str, domain: str, *, lag: float = 0.0) -> None:
        """Put an asset into a domain; the domain exists from then on."""
        self._attach(urn, "domains", domain, lag)

    def add_data_product(self, urn: str, data_product: str, *, lag: float = 0.0) -> None:
        """Make an asset part of a data product; the product exists from then on."""
        self._attach(urn, "data_products", data_product, lag)

    def add_owner(
        self,
        urn: str,
        owner: str,
        *,
        type: str = OwnerRecord("").type,  # noqa: A002 - the API's name
        lag: float = 0.0,
    ) -> None:
        """Give an asset one more owner, who needs not exist; `type` is the URN of an ownership type."""
        with self._database.transaction():
            owners = self.assets([urn])[urn].owners
            self.change_asset(urn, owners=(*owners, OwnerRecord(owner, type)), lag=lag)

    def add_lineage(self, upstream: str, downstream: str, *, lag: float = 0.0) -> None:
        """Let `downstream` be made from `upstream`; neither needs to exist. The graph index sees it after `lag`."""
        with self._database.transaction() as connection:
            self._graph.put(connection, f"{upstream} {downstream}", [downstream, upstream, "DownstreamOf", True], lag)

    def remove_lineage(self, upstream: str, downstream: str, *, lag: float = 0.0) -> None:
        """Take an edge away again."""
        with self._database.transaction() as connection:
            self._graph.put(connection, f"{upstream} {downstream}", [downstream, upstream, "DownstreamOf", False], lag)

    def assets(self, urns: Iterable[str]) -> dict[str, Asset]:
        """Those of `urns` that exist in the primary store."""
        rows = self._database.rows(
            "SELECT urn, removed, body FROM asset WHERE urn IN (SELECT value FROM json_each(?))", json_list(urns)
        )
        return {row[0]: _asset(row) for row in rows}

    def documents(self) -> list[Asset]:
        """Every asset that the search index knows, as it knows it, by URN."""
        with self._database.transaction() as connection:
            self._documents.catch_up(connection)
        return [_asset(row) for row in self._database.rows("SELECT urn, removed, body FROM document ORDER BY urn")]

    def siblings(self, urns: Iterable[str]) -> dict[str, Siblings]:
        """The siblings of those of `urns` that have any."""
        links: dict[str, tuple[bool, list[str]]] = {}
        for urn, sibling, is_primary in self._database.rows(
            "SELECT urn, sibling, is_primary FROM sibling WHERE urn IN (SELECT value FROM json_each(?)) ORDER BY rowid",
            json_list(urns),
        ):
            links.setdefault(urn, (bool(is_primary), []))[1].append(sibling)
        return {urn: Siblings(is_primary, tuple(found)) for urn, (is_primary, found) in links.items()}

    def neighbours(self, urns: Iterable[str], *, downstream: bool) -> dict[str, list[str]]:
        """The assets one step down or up the lineage from each of `urns`."""
        return self.related(urns, "DownstreamOf", incoming=downstream)

    def related(self, urns: Iterable[str], relationship: str, *, incoming: bool) -> dict[str, list[str]]:
        """The other ends of the edges that lead from, or to, each of `urns`, as the graph index knows them."""
        near, far = ("target", "source") if incoming else ("source", "target")
        found: dict[str, list[str]] = {}
        with self._database.transaction() as connection:
            self._graph.catch_up(connection)
            for asset, neighbour in connection.execute(
                f"SELECT {near}, {far} FROM edge "  # noqa: S608 - the names are the constants above
                f"WHERE relationship = ? AND {near} IN (SELECT value FROM json_each(?)) ORDER BY {near}, {far}",
                (relationship, json_list(urns)),
            ):
                found.setdefault(asset, []).append(neighbour)
        return found

    def _attach(self, urn: str, name: str, value: str, lag: float) -> None:
        with self._database.transaction():
            if value not in self.assets([value]):
                self.add_asset(value, lag=lag)
            held: tuple[str, ...] = getattr(self.assets([urn])[urn], name)
            if value not in held:
                self.change_asset(urn, **{name: (*held, value)}, lag=lag)

    def _put(self, connection: sqlite3.Connection, asset: Asset, lag: float) -> None:
        body = json.dumps({name: value for name in _BODY if (value := getattr(asset, name))})
        row = [asset.urn, parse_urn(asset.urn).kind, asset.removed, body]
        connection.execute("INSERT OR REPLACE INTO asset VALUES (?, ?, ?, ?)", row)
        self._documents.put(connection, asset.urn, row, lag)


_BODY = tuple(field.name for field in fields(Asset) if field.name not in {"urn", "removed"})


def _index(connection: sqlite3.Connection, _urn: str, row: Sequence[Any]) -> None:
    connection.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?)", row)


def _connect(connection: sqlite3.Connection, _edge: str, change: Sequence[Any]) -> None:
    *edge, is_there = change
    statement = (
        "INSERT OR IGNORE INTO edge (source, target, relationship) VALUES (?, ?, ?)"
        if is_there
        else "DELETE FROM edge WHERE source = ? AND target = ? AND relationship = ?"
    )
    connection.execute(statement, edge)


def _asset(row: Sequence[Any]) -> Asset:
    urn, removed, body = row
    removed = None if removed is None else bool(removed)
    if body == "{}":
        return Asset(urn=urn, removed=removed)
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(body).items()
    }
    values["owners"] = tuple(OwnerRecord(*owner) for owner in values.get("owners", ()))
    return Asset(urn=urn, removed=removed, **values)
