"""The store: assets, incidents and assertions, and the rows that one request reads from it."""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from .assets import Assets
from .database import Database, Pipeline, json_list
from .incidents import Incidents
from .records import Asset, IncidentFilter, IncidentPage, IncidentRecord, Siblings


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionRecord:
    """The definition of an assertion on a dataset."""

    urn: str
    dataset: str
    type: str
    description: str | None = None
    external_url: str | None = None
    platform: str
    native_type: str | None = None
    logic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run of an assertion, which may have no result."""

    assertion: str
    dataset: str
    at_ms: int
    result: str | None
    run_id: str
    external_url: str | None = None
    error: str | None = None


class Assertions(Assets):
    """The part of the store that holds assertions. Whatever is written is visible after `lag` seconds."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._series = Pipeline("timeseries", _append)

    def add_assertion(  # noqa: PLR0913 - every one has a default
        self,
        dataset: str,
        *,
        assertion_id: str | None = None,
        type: str = "DATASET",  # noqa: A002 - the API's own name for it
        description: str | None = None,
        external_url: str | None = None,
        platform: str = "urn:li:dataPlatform:dbt",
        native_type: str | None = None,
        logic: str | None = None,
        removed: bool | None = None,
        lag: float = 0.0,
    ) -> str:
        """Define an assertion on a dataset, which needs not exist."""
        record = AssertionRecord(
            urn=f"urn:li:assertion:{assertion_id or uuid.uuid4()}",
            dataset=dataset,
            type=type,
            description=description,
            external_url=external_url,
            platform=platform,
            native_type=native_type,
            logic=logic,
        )
        with self._database.transaction() as connection:
            self.add_asset(
                record.urn, removed=removed, description=description, profile={"entity": dataset, "type": type}, lag=lag
            )
            connection.execute(
                "INSERT OR REPLACE INTO assertion VALUES (?, ?, ?)", (record.urn, dataset, json.dumps(asdict(record)))
            )
            self._graph.put(connection, f"{record.urn} {dataset}", [record.urn, dataset, "Asserts", True], lag)
        return record.urn

    def lose_assertion(self, urn: str) -> None:
        """Take an assertion out of the primary store only: it is still counted, but no longer listed."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM assertion WHERE urn = ?", (urn,))
            connection.execute("DELETE FROM asset WHERE urn = ?", (urn,))

    def add_run(  # noqa: PLR0913 - every one has a default
        self,
        assertion: str,
        result: str | None = "SUCCESS",
        *,
        at_ms: int | None = None,
        external_url: str | None = None,
        error: str | None = None,
        lag: float = 0.0,
    ) -> None:
        """Report a run of an assertion."""
        run = RunRecord(
            assertion=assertion,
            dataset=self.assertions_by_urn([assertion])[assertion].dataset,
            at_ms=time.time_ns() // 1_000_000 if at_ms is None else at_ms,
            result=result,
            run_id=str(uuid.uuid4()),
            external_url=external_url,
            error=error,
        )
        with self._database.transaction() as connection:
            self._series.put(connection, assertion, [assertion, run.at_ms, asdict(run)], lag)

    def add_operation(self, dataset: str, *, at_ms: int | None = None, lag: float = 0.0) -> None:
        """Report that a dataset was changed."""
        at_ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
        with self._database.transaction() as connection:
            self._series.put(connection, dataset, [dataset, at_ms, None], lag)

    def assertions_of(self, datasets: Iterable[str]) -> dict[str, list[str]]:
        """URNs of the assertions of each of some datasets, as the graph index knows them."""
        return self.related(datasets, "Asserts", incoming=True)

    def assertions_by_urn(self, urns: Iterable[str]) -> dict[str, AssertionRecord]:
        """Those of `urns` that the primary store can load."""
        rows = self._database.rows(
            "SELECT urn, body FROM assertion WHERE urn IN (SELECT value FROM json_each(?))", json_list(urns)
        )
        return {urn: AssertionRecord(**json.loads(body)) for urn, body in rows}

    def runs(self, assertions: Iterable[str]) -> dict[str, list[RunRecord]]:
        """The runs of each of some assertions, newest first."""
        found: dict[str, list[RunRecord]] = {}
        for urn, _, body in self._moments(assertions):
            found.setdefault(urn, []).append(RunRecord(**json.loads(body)))
        return found

    def marked_failing(self) -> frozenset[str]:
        """The datasets on which a hook has set `hasFailingAssertions`: the last run of an assertion failed."""
        rows = self._database.rows("SELECT urn, dataset FROM assertion")
        runs = self.runs(urn for urn, _ in rows)
        return frozenset(dataset for urn, dataset in rows if urn in runs and runs[urn][0].result == "FAILURE")

    def operations(self, dataset: str) -> list[int]:
        """When a dataset was changed, in milliseconds, newest first."""
        return [at_ms for _, at_ms, _ in self._moments([dataset])]

    def _moments(self, subjects: Iterable[str]) -> list[Any]:
        with self._database.transaction() as connection:
            self._series.catch_up(connection)
        return self._database.rows(
            "SELECT subject, at, body FROM moment WHERE subject IN (SELECT value FROM json_each(?)) "
            "ORDER BY subject, at DESC, sequence DESC",
            json_list(subjects),
        )


def _append(connection: Any, _subject: str, change: Sequence[Any]) -> None:
    subject, at_ms, body = change
    connection.execute("INSERT INTO moment (subject, at, body) VALUES (?, ?, ?)", (subject, at_ms, json.dumps(body)))


class Store(Assertions, Incidents):
    """Primary store, search index, graph index, and the hook that connects them."""

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


T = TypeVar("T")
D = TypeVar("D")


def _load(
    rows: dict[str, T | D], urns: Iterable[str], read: Callable[[list[str]], Mapping[str, T]], default: D
) -> Mapping[str, T]:
    """Read those that are not among the rows yet, and return what there is of them."""
    missing = [urn for urn in dict.fromkeys(urns) if urn not in rows]
    found = read(missing) if missing else {}
    rows |= {urn: found.get(urn, default) for urn in missing}
    return found


class Rows:
    """Rows, loaded for all the entities that the request has named so far, in one statement each.

    A thousand entities cost as many statements as one.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._assets: dict[str, Asset | None] = {}
        self._siblings: dict[str, Siblings] = {}
        self._pages: dict[IncidentFilter, dict[str, IncidentPage | None]] = {}
        self._incidents: dict[str, IncidentRecord | None] = {}
        self._summaries: dict[str, Mapping[str, Any] | None] = {}
        self._asserted: dict[str, list[str]] = {}
        self._assertions: dict[str, AssertionRecord | None] = {}
        self._runs: dict[str, list[RunRecord]] = {}

    def load(self, urns: Iterable[str]) -> None:
        """Load the assets `urns` and their siblings, which will be asked for next."""
        missing = {urn for urn in urns if urn not in self._assets}
        if not missing:
            return
        siblings = self._store.siblings(missing)
        missing.update(urn for found in siblings.values() for urn in found.urns if urn not in self._assets)
        self._siblings |= self._store.siblings(missing) if siblings else {}
        assets = self._store.assets(missing)
        self._assets |= {urn: assets.get(urn) for urn in missing}

    def asset(self, urn: str) -> Asset | None:
        """An asset, if it was ingested."""
        self.load([urn])
        return self._assets[urn]

    def siblings(self, urn: str) -> Siblings | None:
        """An asset's siblings, if it has any."""
        self.load([urn])
        return self._siblings.get(urn)

    def page(self, urn: str, wanted: IncidentFilter) -> IncidentPage:
        """A page of an asset's incidents as the search index knows them."""
        pages = self._pages.setdefault(wanted, {})
        if urn not in pages:
            found = _load(pages, (urn, *self._assets), lambda urns: self._store.search_incidents(urns, wanted), None)
            named = [incident for page in found.values() if page for incident in page.urns]
            _load(self._incidents, named, self._store.incidents_by_urn, None)
        return pages[urn] or IncidentPage(0)

    def incident(self, urn: str) -> IncidentRecord | None:
        """An incident from the primary store."""
        _load(self._incidents, [urn], self._store.incidents_by_urn, None)
        return self._incidents[urn]

    def summary(self, urn: str, *, old_form: bool) -> Mapping[str, Any] | None:
        """An asset's aspect `incidentsSummary`."""
        if urn not in self._summaries:
            read = partial(self._store.summaries, old_form=old_form)
            _load(self._summaries, (urn, *self._assets), read, None)
        return self._summaries[urn]

    def assertions(self, dataset: str) -> list[str]:
        """URNs of a dataset's assertions, as the graph index knows them."""
        if dataset not in self._asserted:
            found = _load(self._asserted, (dataset, *self._assets), self._store.assertions_of, [])
            urns = [urn for assertions in found.values() for urn in assertions]
            self.load(urns)
            _load(self._assertions, urns, self._store.assertions_by_urn, None)
        return self._asserted[dataset]

    def assertion(self, urn: str) -> AssertionRecord | None:
        """An assertion from the primary store."""
        _load(self._assertions, [urn], self._store.assertions_by_urn, None)
        return self._assertions[urn]

    def runs(self, assertion: str) -> list[RunRecord]:
        """The runs of an assertion, newest first."""
        if assertion not in self._runs:
            _load(self._runs, (assertion, *self._assertions), self._store.runs, [])
        return self._runs[assertion]
