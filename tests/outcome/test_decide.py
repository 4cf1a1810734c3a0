"""What a job's end means for its outputs."""

from threading import Event

import pytest

from incident_gate.errors import WriteError
from incident_gate.incident import Problem, Reason
from incident_gate.outcome.decide import Outcome, why_nothing
from incident_gate.outcome.result import Change, OutputResult
from tests.helpers.imagined_datahub import ASSET, ERROR, Entry, ImaginedDataHub, landed
from tests.helpers.job_end import output

OUTPUT = output(ASSET)


def end(server: ImaginedDataHub, outcome: Outcome, *, dry_run: bool = False) -> OutputResult:
    report = server.reporter(dry_run=dry_run).report([OUTPUT], outcome)
    assert report.outcome == outcome
    assert report.nothing == ""
    (result,) = report.results
    assert result.entry is OUTPUT
    return result


@pytest.mark.parametrize("status", ["success", "failure"])
def test_success_and_failure_of_a_job_with_outputs_are_reported(status: str) -> None:
    assert why_nothing(status, pull_request=False, outputs=[OUTPUT]) == ""


@pytest.mark.parametrize("status", ["cancelled", "skipped", "Success", "neutral"])
def test_any_other_status_is_not_reported(status: str) -> None:
    why = f"The job's status is {status}: only success and failure are reported."
    assert why_nothing(status, pull_request=False, outputs=[OUTPUT]) == why


def test_unknown_status_is_not_reported() -> None:
    why = "The job's status is not known: only success and failure are reported."
    assert why_nothing("", pull_request=False, outputs=[OUTPUT]) == why


def test_pull_request_and_missing_outputs_are_not_reported() -> None:
    why = "This is a pull request: it tries out a change and says nothing about the data."
    assert why_nothing("failure", pull_request=True, outputs=[OUTPUT]) == why
    assert why_nothing("failure", pull_request=False, outputs=[]) == "The manifest names no outputs."


def test_active_incident_of_ours_is_kept_and_the_rest_folded() -> None:
    server = ImaginedDataHub(entries=[Entry("b", created_ms=2), Entry("a", created_ms=1), Entry("c", created_ms=3)])
    result = end(server, Outcome.FAILURE)
    assert (result.change, result.incidents) == (Change.KEPT, ("a",))
    assert [(what, urn) for what, urn, _ in server.writes] == [("keep", "a"), ("resolve", "b"), ("resolve", "c")]
    assert server.writes[0][2].startswith("Failed again in nightly #7")
    assert server.raised == []


def test_oldest_is_kept_also_where_the_list_does_not_say_the_times() -> None:
    server = ImaginedDataHub(entries=[Entry("a", created_ms=2), Entry("b", created_ms=1)], lists_times=False)
    assert end(server, Outcome.FAILURE).incidents == ("b",)
    assert [(what, urn) for what, urn, _ in server.writes] == [("keep", "b"), ("resolve", "a")]


def test_single_incident_is_kept_without_looking_it_up() -> None:
    server = ImaginedDataHub(entries=[Entry("a")], lists_times=False)
    end(server, Outcome.FAILURE)
    assert server.looked_up == []


def test_incident_that_is_gone_gives_way_to_the_next_of_ours() -> None:
    server = ImaginedDataHub(entries=[Entry("a", created_ms=1), Entry("b", created_ms=2)], gone={"a"})
    result = end(server, Outcome.FAILURE)
    assert (result.change, result.incidents) == (Change.KEPT, ("b",))
    assert server.raised == []


def test_failure_whose_incidents_are_all_gone_is_raised() -> None:
    server = ImaginedDataHub(entries=[Entry("a"), Entry("new", listed_at=101.0)], gone={"a"}, attempts=[landed("new")])
    server.on_attempt = lambda _number: server.entries.__delitem__(0)
    assert end(server, Outcome.FAILURE).incidents == ("new",)


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.EXISTENCE_UNKNOWN])
def test_failure_on_an_asset_that_cannot_be_read_is_not_raised(reason: Reason) -> None:
    server = ImaginedDataHub(problems=(Problem(reason, "It is odd", "Look."),))
    result = end(server, Outcome.FAILURE)
    assert (result.change, result.message, result.hint) == (Change.FAILED, "It is odd.", "Look.")
    assert server.raised == []


def test_failure_is_kept_even_where_something_else_cannot_be_read() -> None:
    assert end(ImaginedDataHub(entries=[Entry("a")], problems=(ERROR,)), Outcome.FAILURE).change is Change.KEPT


def test_failure_is_raised_where_existence_cannot_be_told() -> None:
    unsure = Problem(Reason.EXISTENCE_UNKNOWN, "Who knows")
    server = ImaginedDataHub(problems=(unsure,), attempts=[landed("a")], entries=[Entry("a", listed_at=100.1)])
    assert end(server, Outcome.FAILURE).change is Change.RAISED


def test_success_resolves_everything_of_ours() -> None:
    over = Entry("over", active=False)
    server = ImaginedDataHub(entries=[Entry("b", created_ms=2), Entry("a", created_ms=1), over], problems=(ERROR,))
    result = end(server, Outcome.SUCCESS)
    assert (result.change, result.incidents) == (Change.RESOLVED, ("a", "b"))
    assert [(what, urn) for what, urn, _ in server.writes] == [("resolve", "a"), ("resolve", "b")]
    assert "which succeeded" in server.writes[0][2]


def test_success_on_a_clear_asset_writes_nothing() -> None:
    server = ImaginedDataHub(entries=[Entry("x", description="by hand")])
    result = end(server, Outcome.SUCCESS)
    assert (result.change, result.incidents, result.message) == (Change.CLEAR, (), "")
    assert (server.writes, server.raised) == ([], [])


@pytest.mark.parametrize("reason", list(Reason))
def test_success_on_an_asset_that_cannot_be_read_says_so(reason: Reason) -> None:
    result = end(ImaginedDataHub(problems=(Problem(reason, "It is odd", "Look."),)), Outcome.SUCCESS)
    if reason in {Reason.NOT_FOUND, Reason.REMOVED, Reason.EXISTENCE_UNKNOWN}:
        assert (result.change, result.message) == (Change.CLEAR, "")
    else:
        assert (result.change, result.message, result.hint) == (Change.FAILED, "It is odd.", "Look.")


def test_success_tells_of_incidents_that_nobody_can_read() -> None:
    result = end(ImaginedDataHub(unread=2), Outcome.SUCCESS)
    assert result.change is Change.CLEAR
    assert result.message == "DataHub counts 2 more active incidents on it than it shows."


@pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.FAILURE])
def test_write_that_is_refused_is_told_with_its_hint(outcome: Outcome) -> None:
    server = ImaginedDataHub(entries=[Entry("a")], refuses={"a": WriteError("No.", hint="Ask.")})
    result = end(server, outcome)
    assert (result.change, result.message, result.hint) == (Change.FAILED, "No.", "Ask.")


@pytest.mark.parametrize(
    ("entries", "outcome", "change", "incidents"),
    [
        ([], Outcome.FAILURE, Change.WOULD_RAISE, ()),
        ([Entry("b", created_ms=2), Entry("a", created_ms=1)], Outcome.FAILURE, Change.WOULD_KEEP, ("a",)),
        ([Entry("b", created_ms=2), Entry("a", created_ms=1)], Outcome.SUCCESS, Change.WOULD_RESOLVE, ("a", "b")),
        ([], Outcome.SUCCESS, Change.CLEAR, ()),
    ],
)
def test_dry_run_says_what_it_would_do_and_writes_nothing(
    entries: list[Entry], outcome: Outcome, change: Change, incidents: tuple[str, ...]
) -> None:
    server = ImaginedDataHub(entries=entries)
    result = end(server, outcome, dry_run=True)
    assert (result.change, result.incidents) == (change, incidents)
    assert (server.writes, server.raised) == ([], [])
    assert len(server.read_at) == 1


def test_dry_run_says_what_it_could_not_do() -> None:
    assert end(ImaginedDataHub(problems=(ERROR,)), Outcome.FAILURE, dry_run=True).change is Change.FAILED


def test_output_whose_answer_does_not_come_in_time_is_told() -> None:
    answered = Event()

    class Hanging(ImaginedDataHub):
        def keep(self, incident_urn: str, message: str) -> bool:
            answered.wait(10)
            return super().keep(incident_urn, message)

    server = Hanging(entries=[Entry("a")])
    (result,) = server.reporter(seconds=0.0).report([OUTPUT], Outcome.FAILURE).results
    answered.set()
    assert result == OutputResult(
        entry=OUTPUT,
        change=Change.FAILED,
        message="The time was up before it was known whether it was written.",
        hint="Raise `timeout`.",
    )
