"""Faults at every moment, however often: the conclusion, the exit code and the words."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from incident_gate.gate.policy import Verdict
from incident_gate.sandbox import Sandbox
from tests.helpers.gating import check
from tests.server.faults.fault_matrix import ASSETS, BATCH, CELLS, Cell, Kind, Moment, Run, play

AT_ONCE = 8  # cells mostly wait


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[Callable[[Cell], Run]]:
    """Plays the cells that are wanted, many at a time."""
    wanted = [
        item.callspec.params["cell"]
        for item in request.session.items
        if hasattr(item, "callspec") and isinstance(item.callspec.params.get("cell"), Cell)
    ]
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(AT_ONCE) as pool:
        # What is bounded by the timeout in earnest is bounded by less here, so that there is time left to go on.
        patch.setattr("incident_gate.datahub.client.REQUEST_SECONDS", 2.0)
        patch.setattr("incident_gate.datahub.health.reader.BATCH", BATCH)
        patch.setattr("incident_gate.datahub.client.size_limit", lambda _assets: 1024 * 1024)
        patch.setattr("incident_gate.datahub.response.PARTIAL_PATIENCE", 1.5)
        with Sandbox.start() as server:  # builds the schema once, lest all of them do it at the same time
            check(server, ASSETS[0])
        played: dict[Cell, Future[Run]] = {cell: pool.submit(play, cell) for cell in wanted}
        yield lambda cell: played[cell].result()


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_fault(cell: Cell, runs: Callable[[Cell], Run]) -> None:
    run = runs(cell)
    report = run.result

    assert run.result.exit_code == cell.exit_code
    if cell.trouble.kind in {Kind.REFUSAL, Kind.HOPELESS} and cell.moment is Moment.FIRST:
        assert run.requests == 1
    # Never a pass without an answer for every input.
    if run.result.exit_code == 0 and cell.on_unknown == "block":
        assert {decision.verdict for decision in report.decisions} == {Verdict.HEALTHY}
    if cell.moment is Moment.PAGE:
        assert report.verdict is Verdict.UNHEALTHY
    if cell.is_told:
        problems = [problem.message for decision in report.decisions for problem in decision.problems]
        assert re.search(cell.trouble.words, " ".join([*problems, str(report.failure)]))
    if cell.on_unknown == "warn" and cell.trouble.kind is not Kind.NONE:
        unknown = [decision for decision in report.decisions if decision.verdict is Verdict.UNKNOWN]
        assert unknown
        assert all(decision.problems for decision in unknown)
