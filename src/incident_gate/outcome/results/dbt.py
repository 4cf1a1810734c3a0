"""dbt's `run_results.json` and `sources.json`, and what the manifests of the projects add to them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote

from incident_gate.dbt.project import DbtNode, DbtProject, NodeKind
from incident_gate.dbt.stream import NAME as NAMED
from incident_gate.dbt.stream import TEXT
from incident_gate.json_values import at, mapping, text
from incident_gate.outcome.results.model import (
    CheckStatus,
    FileResults,
    JsonReader,
    NoResultsError,
    ReportedResult,
    ResultKeeper,
    ResultKind,
    incident_type,
    moment,
)
from incident_gate.text import quote

NAME = "dbt"
RESULT: Mapping[str, Any] = {"unique_id": NAMED, "status": TEXT, "message": TEXT, "error": TEXT}
_ARGS = {
    **dict.fromkeys(("which", "empty", "sample"), TEXT),
    **dict.fromkeys(("project_dir", "profile", "target"), NAMED),
}
# Neither `compiled_code` nor `relation_name`: the one is the query, the other is no reliable name.
WANTED: Mapping[str, Any] = {
    "metadata": {"dbt_schema_version": TEXT, "generated_at": TEXT},
    # Fusion keeps what is not `which` a level lower.
    "args": {**_ARGS, "__other__": _ARGS},
    "results.*": RESULT,
}

# `compile`, `docs generate` and `clone` report every model, and the first two every test, as a success.
_COMMANDS = frozenset({"run", "build", "test", "seed", "snapshot"})
_PASSED, _FAILED, _ERROR, _SKIPPED, _UNKNOWN, _ = CheckStatus
_BUILD_STATUSES = {
    **dict.fromkeys(("success", "warn"), _PASSED),
    **dict.fromkeys(("error", "fail", "runtime error", "partial success"), _FAILED),
    "skipped": _SKIPPED,
}
_CHECK_STATUSES = {
    **dict.fromkeys(("pass", "warn"), _PASSED),
    "fail": _FAILED,
    **dict.fromkeys(("error", "runtime error"), _ERROR),
    "skipped": _SKIPPED,
}
# In `sources.json`, `error` means that the data is too old; what could not be queried is a `runtime error`.
_FRESHNESS_STATUSES = _CHECK_STATUSES | {"error": _FAILED}
_KINDS = {
    **dict.fromkeys(("model", "seed", "snapshot"), ResultKind.BUILD),
    **dict.fromkeys(("test", "unit_test"), ResultKind.CHECK),
    **dict.fromkeys(("function", "saved_query", "exposure", "metric", "semantic_model", "source"), ResultKind.NODE),
}
# A hook is no node: whatever it was about, no output is to blame.
_HOOKS = frozenset({"operation", "sql_operation"})
# Of a kind that is not known, these are no failure.
_HARMLESS = frozenset({"success", "pass", "warn", "skipped", "no-op", "reused"})


class DbtReader(JsonReader):
    """dbt's reader."""

    def __init__(self, keeper: ResultKeeper) -> None:
        super().__init__(keeper)
        self._rows: list[tuple[str, str, str]] = []
        self._stray = ""

    def _take(self, path: tuple[str, ...], value: Any) -> None:
        match path:
            case ("results", _) if isinstance(value, dict) and "unique_id" in value:
                unique_id = text(value, "unique_id")
                message = self._keeper.keep(text(value, "message") or text(value, "error"), unique_id)
                self._rows.append((unique_id, str(value.get("status")).lower(), message))
            case ("results", _):
                self._stray = "has a result without a unique_id"

    def results(self) -> FileResults | None:
        """What the file reports; None where it is not of dbt, a NoResultsError where it is another file of dbt."""
        schema = text(self._values, "metadata", "dbt_schema_version")
        if not (schema or self._rows):
            return None
        if schema and not ("/run-results/" in schema or "/sources/" in schema):
            raise NoResultsError(f"is of dbt, but has no results: its schema is {quote(schema)}")
        written = moment(at(self._values, "metadata", "generated_at"))
        if not isinstance(self._values.get("results"), list):
            return FileResults(written=written, problem="has no results of dbt")
        if "/sources/" in schema:
            checks = (self._freshness(*row) for row in self._rows if row[0].startswith("source."))
            return FileResults(written=written, results=tuple(checks))
        results, stray = self._results()
        args = self._args
        which, note = args.get("which"), ""
        options = [option for option in ("empty", "sample") if args.get(option) not in (None, False)]
        if not isinstance(which, str):
            note = "does not name the command that wrote it"
        elif which not in _COMMANDS:
            command = "docs generate" if which == "generate" else which
            note = f"was written by {quote(f'dbt {command}')}, which neither builds nor tests"
            results = ()
        elif options:
            note = f"was written with --{options[0]}, so a success proves nothing about the data"
        if note:
            results, stray = tuple(result for result in results if result.status.is_bad), ""
        return FileResults(written=written, results=results, stray=stray, note=note)

    @property
    def _args(self) -> Mapping[str, Any]:
        return {**mapping(self._values, "args", "__other__"), **mapping(self._values, "args")}

    def _results(self) -> tuple[tuple[ReportedResult, ...], str]:
        """The results, and the failure of a kind that is not known, if there is one."""
        # An invocation is no part of the identity: a retry has another one.
        identity = tuple(text(self._args, key) for key in ("project_dir", "profile", "target"))
        found: list[ReportedResult] = []
        stray = self._stray
        for unique_id, word, message in self._rows:
            name = unique_id.partition(".")[0]
            kind = _KINDS.get(name)
            status = (_CHECK_STATUSES if kind is ResultKind.CHECK else _BUILD_STATUSES).get(word, _UNKNOWN)
            if name in _HOOKS or (kind is ResultKind.BUILD and word == "reused"):  # built earlier, and not now
                continue
            if kind is None and word not in _HARMLESS:
                stray = stray or f"has a result of an unknown kind that is {quote(word)} ({quote(unique_id)})"
            if kind in {ResultKind.BUILD, ResultKind.CHECK} or status.is_bad:
                found.append(ReportedResult(unique_id, status, message, kind or ResultKind.NODE, identity))
        return tuple(found), stray

    @staticmethod
    def _freshness(unique_id: str, word: str, message: str) -> ReportedResult:
        status = _FRESHNESS_STATUSES.get(word, _UNKNOWN)
        message = message or ("the data is older than the source's freshness allows" if status.is_bad else "")
        return ReportedResult(unique_id, status, message, type="FRESHNESS")


_DATASET = re.compile(r"urn:li:dataset:\(urn:li:dataPlatform:([^,]+),(.+),[^,]+\)")
_MAX_PARTS = 20
# DataHub's platforms that tables of an adapter are ingested from, where the name is another one.
_PLATFORMS = {
    "sqlserver": ("mssql",),
    "synapse": ("mssql",),
    "fabric": ("mssql",),
    "athena": ("glue",),
    "spark": ("databricks", "delta-lake", "glue", "hive"),
    "databricks": ("hive",),
    "glue": ("athena",),
}


class OutputNodes(NamedTuple):
    """The nodes behind an output, and the unique ids of their enabled checks: tests, and a source's freshness."""

    nodes: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()


class _Named(NamedTuple):
    """A URN that may name a table: `depth` counts the parts before the name, which are a platform instance then."""

    urn: str
    platform: str
    name: str
    depth: int


class _Match(NamedTuple):
    """A table with the name in a URN: the lower its `rank`, the more of the URN is in its name."""

    rank: tuple[int, bool]
    name: str
    node: DbtNode


@dataclass(frozen=True, slots=True)
class Projects:
    """The dbt projects of a run, and the target platforms that the manifest's selectors name."""

    projects: Sequence[DbtProject] = ()
    platforms: Collection[str] = ()

    def know(self, unique_id: str) -> bool:
        """Whether this is a node or a test of a project."""
        return any(unique_id in project.nodes or unique_id in project.tests for project in self.projects)

    def typed(self, check: ReportedResult) -> ReportedResult:
        """A check with the type of incident that fits the test's kind."""
        tests = (project.tests.get(check.name) for project in self.projects)
        test = next(filter(None, tests), None)
        if not test or not test.function:
            return check
        return check._replace(type=incident_type(test.function, column=bool(test.column)))

    def behind(self, outputs: Sequence[Collection[str]]) -> list[OutputNodes]:
        """What is behind each output, by its URNs.

        URNs depend on options of DataHub's ingestion that a manifest with typed URNs does not name: letter case, a
        platform instance before the table's name, the environment.
        """
        wanted = _by_name(frozenset().union(*outputs))
        matches: dict[str, list[_Match]] = {}
        for project in self.projects:
            platforms = {NAME, project.adapter, *_PLATFORMS.get(project.adapter, ()), *self.platforms}
            for urn, each in _matches(project, platforms, wanted).items():
                # A source with the name of what is built is the same table.
                built = {match.name for match in each if match.node.is_output}
                matches.setdefault(urn, []).extend(m for m in each if m.node.is_output or m.name not in built)
        best = {urn: min(match.rank for match in each) for urn, each in matches.items()}
        nodes = [
            frozenset(m.node.unique_id for urn in urns for m in matches.get(urn, ()) if m.rank == best[urn])
            for urns in outputs
        ]
        checks = self._checks_of(frozenset().union(*nodes))
        return [OutputNodes(ids, frozenset().union(*(checks.get(node, ()) for node in ids))) for ids in nodes]

    def _checks_of(self, nodes: Collection[str]) -> dict[str, set[str]]:
        checks: dict[str, set[str]] = {}
        for project in self.projects:
            for test in project.tests.values():
                for node in test.nodes if test.enabled else ():
                    if node in nodes:
                        checks.setdefault(node, set()).add(test.unique_id)
            # The result of a source's freshness has the source's own id.
            for node in nodes:
                if node in project.nodes and project.nodes[node].has_freshness:
                    checks.setdefault(node, set()).add(node)
        return checks


def _by_name(urns: Iterable[str]) -> dict[str, list[_Named]]:
    """The URNs by each name that their table may have, in lower case."""
    found: dict[str, list[_Named]] = {}
    for urn in urns:
        if match := _DATASET.fullmatch(urn):
            parts = unquote(match[2]).split(".")
            for depth in range(min(len(parts), _MAX_PARTS)):
                name = ".".join(parts[depth:])
                found.setdefault(name.lower(), []).append(_Named(urn, match[1], name, depth))
    return found


def _matches(
    project: DbtProject, platforms: Collection[str], wanted: Mapping[str, Sequence[_Named]]
) -> dict[str, list[_Match]]:
    """The tables with the names that are in URNs, by URN."""
    found: dict[str, list[_Match]] = {}
    for node in project.nodes.values():
        for name, is_whole in _names(node):
            for named in wanted.get(name.lower(), ()):
                # Without its database, a name has no platform instance before it.
                if named.platform in platforms and (is_whole or not named.depth):
                    match = _Match((named.depth, named.name != name), name, node)
                    found.setdefault(named.urn, []).append(match)
    return found


def _names(node: DbtNode) -> Iterator[tuple[str, bool]]:
    """The names that DataHub may know a node's table by, and whether each is whole: not without its database."""
    if not node.is_output and node.kind is not NodeKind.SOURCE:
        return
    for table in {node.alias or node.name, node.identifier or node.name}:
        parts = [part.replace('"', "") for part in (node.database, node.schema, table) if part]
        yield ".".join(parts), True
        if node.database:
            yield ".".join(parts[1:]), False
