"""The store's assertions: their definitions, their runs in a time-series index, and operations on datasets."""

import json
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .assets import Assets
from .database import Database, json_list
from .pipeline import Pipeline


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
        """Define an assertion on a dataset, which needs not exist.

        Returns:
            The assertion's URN.
        """
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
        """Report a run of an assertion.

        Args:
            assertion: the assertion's URN.
            result: SUCCESS, FAILURE, ERROR or INIT; None for a run without a result.
            at_ms: when it ran, in milliseconds; now by default.
            external_url: where the result is shown.
            error: the type of the error.
            lag: seconds until the time-series index knows it.

        Raises:
            KeyError: there is no such assertion.
        """
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
