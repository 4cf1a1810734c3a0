"""Exactly one: what is done when nobody knows what became of an attempt."""

from typing import Any

import pytest

from incident_gate.datahub.incidents import Attempt
from incident_gate.errors import UnreachableError, WriteError
from incident_gate.incident import Cause, Problem, Reason, mark_in, sign
from incident_gate.outcome.own import IndexTimeouts
from incident_gate.outcome.raising import MOST_LINKS, incident_id
from incident_gate.outcome.result import Change, Outcome, OutputResult
from incident_gate.outcome.wording import cause_in, run_in
from tests.helpers.imagined_datahub import ASSET, ERROR, KEY, Entry, ImaginedDataHub, created, exists, lost
from tests.helpers.job_end import IDENTITY, output, signed


def fail(server: ImaginedDataHub, *, seconds: float = 120.0) -> OutputResult:
    entry = output(ASSET)
    (result,) = server.end([entry], Outcome.FAILURE, seconds=seconds).results
    assert result.entry == entry
    return result


def test_timeouts_cover_the_lag_that_the_documents_promise() -> None:
    timeouts = IndexTimeouts()
    assert timeouts.settled >= 3.0 + 2.0
    assert timeouts.longest > timeouts.settled
    assert timeouts.first_look < timeouts.longest_look
    assert timeouts.listed == 1.0


@pytest.mark.parametrize("has_id", [False, True])
@pytest.mark.parametrize(("listed_at", "seconds"), [(100.1, 0.2), (100.5, 0.6), (103.0, 1.0), (900.0, 1.0)])
def test_raise_whose_answer_arrived_takes_a_second_at_most(listed_at: float, seconds: float, *, has_id: bool) -> None:
    server = ImaginedDataHub(attempts=[created("a", has_id=has_id)], entries=[Entry("a", listed_at=listed_at)])
    result = fail(server)
    assert (result.change, result.incidents, result.message) == (Change.RAISED, ("a",), "")
    assert server.now == pytest.approx(100.0 + seconds)
    assert len(server.raised) == 1


# Servers that make a new incident of every attempt


def listed(urn: str, *, age: int | None = 1_000, active: bool = True) -> Entry:
    """An incident that the list shows after the first attempt."""
    return Entry(urn, listed_at=100.1, created_ms=age, active=active)


@pytest.mark.parametrize(
    ("attempts", "entries", "incident", "folded"),
    [
        # A proxy sent the request twice.
        ([created("b")], [listed("b", age=1_001), listed("a")], "a", "b"),
        # Of one millisecond, in an order that all agree on.
        ([created("b")], [listed("b"), listed("a"), listed("c")], "a", "bc"),
        ([created("b")], [listed("c"), listed("b"), listed("a")], "a", "bc"),
        # Of unknown age.
        ([created("a")], [listed("a"), listed("z", age=None)], "z", ""),
        # A racing job folded it, or somebody resolved it meanwhile.
        ([created("b")], [listed("a"), listed("b", active=False)], "a", ""),
        ([created("a")], [listed("a", active=False)], "a", ""),
        # Where the answer was lost, the incident turns up; after a second attempt the first one may still.
        ([lost()], [Entry("a", listed_at=103.9)], "a", ""),
        ([lost(), lost()], [Entry("b", listed_at=104.5), Entry("a", listed_at=106.5)], "a", "b"),
    ],
)
def test_one_of_all_that_the_list_shows_stays(
    attempts: list[Attempt], entries: list[Entry], incident: str, folded: str
) -> None:
    server = ImaginedDataHub(attempts=attempts, entries=entries)
    result = fail(server)
    assert (result.change, result.incidents) == (Change.RAISED, (incident,))
    assert [(what, urn) for what, urn, _ in server.writes] == [("resolve", urn) for urn in folded]
    assert all(message.startswith(f"Duplicate of {incident}, ") for _, _, message in server.writes)
    assert len(server.raised) == len(attempts)


def test_oldest_that_another_run_raised_names_this_run_too() -> None:
    """Otherwise a repeated run 6 that succeeds would resolve it."""
    theirs = Entry("a", listed_at=100.1, created_ms=1, description=signed("failed", ASSET, run="1006"))
    server = ImaginedDataHub(attempts=[created("b")], entries=[theirs, Entry("b", listed_at=100.1, created_ms=2)])
    assert fail(server).incidents == ("a",)
    assert [(what, urn) for what, urn, _ in server.writes] == [("resolve", "b"), ("keep", "a")]
    assert run_in(server.writes[1][2]) == "1007"


def test_duplicate_of_a_newer_run_leaves_its_run_and_cause_on_the_one_that_stays() -> None:
    """Otherwise run 7, repeated with success, would resolve what run 8 found. The campaign drew it."""
    mark = IDENTITY.mark_of(ASSET, run="1008", cause=Cause.CHECKS)
    theirs = Entry("b", listed_at=100.1, created_ms=2, description=sign("failed", mark))
    server = ImaginedDataHub(attempts=[created("a")], entries=[Entry("a", listed_at=100.1, created_ms=1), theirs])
    server.on_read = lambda _number: setattr(theirs, "active", not server.writes)
    assert fail(server).incidents == ("a",)
    assert [(what, urn) for what, urn, _ in server.writes] == [("resolve", "b"), ("keep", "a")]
    assert (run_in(server.writes[1][2]), cause_in(server.writes[1][2])) == ("1008", Cause.CHECKS)


def test_lost_answer_is_tried_again_only_when_the_first_attempt_cannot_turn_up_any_more() -> None:
    tried_at: list[float] = []
    server = ImaginedDataHub(attempts=[lost(), created("b")], entries=[Entry("b", listed_at=104.5)])
    server.on_attempt = lambda _number: tried_at.append(server.now)
    result = fail(server)
    assert (result.change, result.incidents) == (Change.RAISED, ("b",))
    assert tried_at == pytest.approx([100.0, 104.0])


def test_lost_answer_is_not_tried_again_while_the_list_cannot_be_read() -> None:
    server = ImaginedDataHub(attempts=[lost(), created("b")])
    server.on_attempt = lambda _number: setattr(server, "problems", (ERROR,))
    result = fail(server)
    assert (result.change, result.incidents) == (Change.FAILED, ())
    assert result.message == "It is not known whether the incident was raised: the answer was lost."
    assert result.hint.endswith("The next run of this job finds what this one raised.")
    assert len(server.raised) == 1
    assert server.now == 110.0


def test_list_that_can_be_read_again_settles_it() -> None:
    server = ImaginedDataHub(attempts=[lost(), created("b")], entries=[Entry("b", listed_at=107.0)])
    server.problems_until = 106.0
    server.on_attempt = lambda _number: setattr(server, "problems", (ERROR,))
    result = fail(server)
    assert (result.change, result.incidents) == (Change.RAISED, ("b",))
    assert len(server.raised) == 2


def test_list_of_a_server_that_cannot_tell_what_exists_can_be_believed_all_the_same() -> None:
    unsure = Problem(Reason.EXISTENCE_NOT_SUPPORTED, "It cannot be asked")
    server = ImaginedDataHub(attempts=[lost(), created("b")], entries=[Entry("b", listed_at=104.1)], problems=(unsure,))
    assert fail(server).change is Change.RAISED
    assert len(server.raised) == 2


def test_attempts_come_to_an_end() -> None:
    server = ImaginedDataHub(attempts=[lost()] * 4)
    assert fail(server).change is Change.FAILED
    assert len(server.raised) == 3


def test_no_attempt_after_the_deadline() -> None:
    server = ImaginedDataHub(attempts=[lost()] * 4)
    result = fail(server, seconds=5.0)
    assert result.change is Change.FAILED
    assert len(server.raised) == 2
    assert server.now == 105.0


def test_duplicate_that_cannot_be_resolved_is_told() -> None:
    entries = [Entry("a", listed_at=100.1), Entry("b", listed_at=100.1)]
    server = ImaginedDataHub(attempts=[created("b")], entries=entries, refuses={"b": WriteError("No.", hint="Ask.")})
    result = fail(server)
    assert (result.change, result.incidents, result.message, result.hint) == (Change.FAILED, ("a",), "No.", "Ask.")


# Servers that take the id


def test_id_follows_from_the_key_and_what_was_before() -> None:
    assert incident_id("key", "") == incident_id("key", "")
    others = {incident_id("key", "a"), incident_id("key", "b"), incident_id("yek", "a"), incident_id("key", "")}
    assert len(others) == 4
    assert incident_id("k", "") == "incident-gate-72b24441e5852897f44a229a1ee58269"


def test_first_incident_of_a_key_has_the_first_id_of_its_chain() -> None:
    server = ImaginedDataHub(attempts=[created("a", has_id=True)], entries=[Entry("a", listed_at=100.1)])
    fail(server)
    ((new, chosen),) = server.raised
    assert chosen == incident_id(KEY, "")
    assert mark_in(new.description) == IDENTITY.mark_of(ASSET, run="1007")
    assert (new.asset, new.started_ms) == (ASSET, 5)


UNLISTED = 900.0
ELSEWHERE = ASSET.replace("a,PROD", "other,PROD")


def over(urns: str, listed_at: float = 0.0) -> list[Entry]:
    """Incidents that are over, the oldest first."""
    return [Entry(urn, listed_at, active=False, created_ms=age) for age, urn in enumerate(urns)]


@pytest.mark.parametrize(
    ("given", "attempts", "chain"),
    [
        # The latest of those that are over.
        (
            {"entries": over("yz")[::-1]},
            [created("b")],
            "z",
        ),
        # An id is taken by one that is over, as the primary store or the list shows.
        ({"entries": over("ax", UNLISTED), "knows_states": True}, [exists("a"), exists("x"), created("b")], "-ax"),
        ({"entries": [listed("a", active=False)]}, [exists("a"), created("b")], "-a"),
        # Or on another asset.
        (
            {"entries": [Entry("a", listed_at=UNLISTED)], "knows_states": True, "asset": ELSEWHERE},
            [exists("a"), created("b")],
            "-a",
        ),
        # Or without our key.
        *(
            (
                {"entries": [Entry("a", listed_at=at, description=text)], "knows_states": knows_states},
                [exists("a"), created("b")],
                "-a",
            )
            for at in (0.0, 100.1)
            for text in ("A person deleted the line.", signed("failed", "another asset"))
            for knows_states in (False, True)
        ),
        # Beyond a hundred of others only the whole history shows those that are over, or what a racing job raised.
        (
            {"archive": over("axy")},
            [exists("a"), created("b")],
            "-y",
        ),
        ({"archive": [Entry("b")]}, [exists("b")], "-"),
    ],
)
def test_chain_of_ids_is_followed_to_its_end(given: dict[str, Any], attempts: list[Attempt], chain: str) -> None:
    server = ImaginedDataHub(**({"attempts": attempts} | given))
    server.entries = [*server.entries, Entry("b", listed_at=100.3)]
    result = fail(server)
    assert (result.change, result.incidents) == (Change.RAISED, ("b",))
    assert [chosen for _, chosen in server.raised] == [incident_id(KEY, urn.strip("-")) for urn in chain]
    assert server.writes == []


def test_lost_answer_with_an_id_is_tried_again_without_looking() -> None:
    lost_and_found = [lost(has_id=True), created("a", has_id=True)]
    server = ImaginedDataHub(attempts=lost_and_found, entries=[Entry("a", listed_at=100.1)])
    assert fail(server).change is Change.RAISED
    assert [chosen for _, chosen in server.raised] == [incident_id(KEY, "")] * 2
    assert server.read_at[:2] == pytest.approx([100.0, 101.2])


def test_answer_that_stays_lost_is_not_known() -> None:
    server = ImaginedDataHub(attempts=[lost(has_id=True)] * 3)
    result = fail(server)
    assert result.change is Change.FAILED
    assert result.message.endswith("the answer was lost.")
    assert server.read_at == [100.0]


def test_id_that_is_taken_by_what_cannot_be_read_is_ours_and_the_result_explains_it() -> None:
    server = ImaginedDataHub(attempts=[exists("a")], entries=[Entry("a", listed_at=900.0)])
    result = fail(server)
    assert (result.change, result.incidents) == (Change.RAISED, ("a",))
    assert result.message.startswith("DataHub has an incident with the id that this job chose and does not show it")
    assert server.now == pytest.approx(110.0)


def test_chain_is_not_followed_for_ever() -> None:
    entries = [Entry("a", active=False, listed_at=900.0)]
    server = ImaginedDataHub(attempts=[exists("a")] * 200, entries=entries, knows_states=True)
    result = fail(server)
    assert result.change is Change.FAILED
    assert "are taken" in result.message
    assert result.hint == "Check that DataHub's search index is complete, or give the job another `incident-key`."
    assert len(server.raised) == MOST_LINKS


# One never stops another


@pytest.mark.parametrize("error", [WriteError("No.", hint="Ask."), UnreachableError("Down.", hint="Wait.")])
def test_refused_output_does_not_stop_the_next(error: WriteError | UnreachableError) -> None:
    server = ImaginedDataHub(attempts=[error, created("a")], entries=[Entry("a", listed_at=100.1)])
    # One thread at a time takes them in order.
    other = ASSET.replace("a,PROD", "b,PROD")
    first, second = (server.end([output(urn)], Outcome.FAILURE) for urn in (other, ASSET))
    assert (first.results[0].change, first.results[0].message) == (Change.FAILED, error.message)
    assert first.results[0].hint == error.hint
    assert second.results[0].change is Change.RAISED


def test_each_result_belongs_to_its_output() -> None:
    other = output(ASSET.replace("a,PROD", "b,PROD"))
    server = ImaginedDataHub(entries=[Entry("a")], attempts=[WriteError("No.")])
    report = server.end([other, output(ASSET)], Outcome.FAILURE)
    assert [result.entry.urn.text for result in report.results] == [other.urn.text, ASSET]
    assert [result.change for result in report.results] == [Change.FAILED, Change.KEPT]
