"""What a job's end means for its outputs."""

from collections.abc import Sequence
from threading import Event
from typing import Any

import pytest

from incident_gate.ci.run import Run
from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.reading import Reading
from incident_gate.errors import WriteError
from incident_gate.incident import Cause, Problem, Reason, sign
from incident_gate.outcome.decide import skip_reason
from incident_gate.outcome.result import JOB_FAILED, Change, Effect, Outcome, OutputDecision, OutputResult
from incident_gate.outcome.wording import cause_in, run_in, sign_message
from tests.helpers.imagined_datahub import ASSET, ERROR, Entry, ImaginedDataHub, created
from tests.helpers.job_end import IDENTITY, RUN, output, signed

OUTPUT = output(ASSET)


def end(server: ImaginedDataHub, outcome: Outcome, *, dry_run: bool = False) -> OutputResult:
    report = server.end([OUTPUT], outcome, dry_run=dry_run)
    assert report.outcome == outcome
    assert report.nothing == ""
    (result,) = report.results
    assert result.entry == OUTPUT
    return result


DEV = RUN._replace(branch="dev")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, ""),
        ({"status": "success"}, ""),
        *(
            ({"status": status}, "Nothing changes, as only success and failure are reported.")
            for status in ("cancelled", "skipped", "Success", "")
        ),
        ({"run": RUN._replace(change="a pull request")}, "This run is a pull request: "),
        ({"run": DEV}, "This run is for branch dev, "),
        ({"run": DEV, "branches": ("dev",)}, ""),
        ({"blocked": True}, "The gate stopped this job, so its status does not count for the outputs."),
        ({"outputs": []}, "The manifest names no outputs."),
    ],
)
def test_which_ends_of_a_job_are_reported(given: dict[str, Any], reason: str) -> None:
    usual: dict[str, Any] = {"status": "failure", "run": RUN, "branches": (), "blocked": False, "outputs": [OUTPUT]}
    found = skip_reason(**(usual | given))
    assert found.startswith(reason)
    assert bool(found) is bool(reason)


@pytest.mark.parametrize(
    ("entries", "writes"),
    [
        (
            [Entry("b", created_ms=2), Entry("a", created_ms=1), Entry("c", created_ms=3)],
            "keep a, resolve b, resolve c",
        ),
        # Another job may see the times, and fold the other way round.
        ([Entry("a", created_ms=None), Entry("b", created_ms=None)], "keep a"),
        ([Entry("a", message=sign_message("Failed again in nightly #6.", "1006"))], "keep a"),
        # A person's message is left alone, and so is one of the gate's that a person edited.
        ([Entry("a", stage="TRIAGE", message="Ana: looking at the loader")], ""),
        ([Entry("a", message=f"Ana: mine. {sign_message('Failed again.', '1006')}")], ""),
    ],
)
def test_oldest_of_ours_is_kept_and_the_rest_folded(entries: list[Entry], writes: str) -> None:
    server = ImaginedDataHub(entries=entries)
    result = end(server, Outcome.FAILURE)
    assert (result.change, result.incidents) == (Change.KEPT, ("a",))
    assert ", ".join(f"{what} {urn}" for what, urn, _ in server.writes) == writes
    for what, _, message in server.writes:
        assert message.startswith("Failed again in `nightly #7`" if what == "keep" else "Duplicate of a, ")
        assert run_in(message) == ("1007" if what == "keep" else "")
    assert server.raised == []


# What people wrote


def test_keeping_sends_the_stage_back() -> None:
    server = ImaginedDataHub(entries=[Entry("a", stage="INVESTIGATION")])
    assert end(server, Outcome.FAILURE).change is Change.KEPT
    assert server.stages == ["INVESTIGATION"]


def test_incident_that_a_person_resolves_just_before_keeping_is_not_reopened() -> None:
    """A new failure is a new incident."""
    entry = Entry("a")
    server = ImaginedDataHub(entries=[entry, Entry("b", listed_at=100.1)], attempts=[created("b")])
    server.on_read = lambda number: setattr(entry, "active", number == 0)
    result = end(server, Outcome.FAILURE)
    assert (result.change, result.incidents) == (Change.RAISED, ("b",))
    assert server.writes == []


@pytest.mark.parametrize(
    ("meanwhile", "hidden", "change"),
    [
        ({"message": sign_message("Failed again.", "1008")}, False, Change.LEFT),  # a newer run kept it
        ({"message": sign_message("Failed again.", "1006", Cause.CHECKS)}, False, Change.LEFT),
        ({"description": signed("failed", ASSET, run="1008")}, True, Change.LEFT),
        ({"active": False}, False, Change.CLEAR),
        ({"description": "A person took the mark away."}, False, Change.CLEAR),
        ({"description": "A person took the mark away."}, True, Change.CLEAR),
        ({"message": sign_message("Failed again.", "1006")}, False, Change.RESOLVED),
    ],
)
def test_look_just_before_resolving_is_judged_like_the_first(
    meanwhile: dict[str, Any], *, hidden: bool, change: Change
) -> None:
    entry = Entry("a")
    server = ImaginedDataHub(entries=[entry], knows_states=True)

    def act(number: int) -> None:
        if number:
            for name, value in meanwhile.items():
                setattr(entry, name, value)

            # The searches of a token that may not see incidents hide it, and then only its mark is known.
            entry.listed_at = 1e9 if hidden else 0.0

    server.on_read = act
    assert end(server, Outcome.SUCCESS).change is change
    assert bool(server.writes) is (change is Change.RESOLVED)


def test_incident_from_which_a_person_takes_the_mark_just_before_keeping_is_left_alone() -> None:
    entry = Entry("a")
    server = ImaginedDataHub(entries=[entry, Entry("b", listed_at=100.1)], attempts=[created("b")])
    server.on_read = lambda number: setattr(entry, "description", "Mine" if number else signed("failed", ASSET))
    assert end(server, Outcome.FAILURE).incidents == ("b",)
    assert server.writes == []


def test_duplicate_is_not_folded_into_one_that_is_over_by_then() -> None:
    first = Entry("a", created_ms=1)
    server = ImaginedDataHub(entries=[first, Entry("b", created_ms=2)])
    # After the first look and the one before keeping.
    server.on_read = lambda number: setattr(first, "active", number < 2)
    assert end(server, Outcome.FAILURE).change is Change.KEPT
    assert [(what, urn) for what, urn, _ in server.writes] == [("keep", "a")]


def test_kept_incident_takes_over_the_causes_of_its_duplicates() -> None:
    checks = raised("b", cause=Cause.CHECKS)
    server = ImaginedDataHub(entries=[Entry("a", created_ms=1), checks])
    checks.created_ms = 2
    end(server, Outcome.FAILURE)
    assert cause_in(server.writes[0][2]) is Cause.CHECKS


def test_kept_incident_takes_over_the_cause_of_the_new_failure() -> None:
    server = ImaginedDataHub(entries=[raised()])
    server.end([OUTPUT], Outcome.FAILURE, decision=JOB_FAILED._replace(cause=Cause.CHECKS))
    assert cause_in(server.writes[0][2]) is Cause.CHECKS


def test_keeping_looks_again_after_a_lost_answer() -> None:
    server = ImaginedDataHub(entries=[Entry("a"), Entry("b", listed_at=101.5)], attempts=[created("b")], lost_keeps=1)
    assert end(server, Outcome.FAILURE).change is Change.KEPT
    server = ImaginedDataHub(entries=[Entry("a"), Entry("b", listed_at=101.5)], attempts=[created("b")], lost_keeps=1)
    server.on_read = lambda number: setattr(server.entries[0], "active", number < 2)
    assert end(server, Outcome.FAILURE).incidents == ("b",)
    assert server.writes == []


def test_keeping_ends_when_no_answer_comes() -> None:
    server = ImaginedDataHub(entries=[Entry("a")], lost_keeps=99)
    result = end(server, Outcome.FAILURE)
    assert (result.change, result.message) == (Change.FAILED, "a could not be updated: DataHub did not answer.")
    assert len(server.stages) == 4


@pytest.mark.parametrize("outcome", [Outcome.FAILURE, Outcome.SUCCESS])
@pytest.mark.parametrize("active", [True, False])
def test_incident_that_no_list_shows_is_looked_up_by_itself_before_it_is_written(
    outcome: Outcome, *, active: bool
) -> None:
    """Searches of a token that may not see incidents hide them; the first reading found it by another way."""
    entry = Entry("a")
    server = ImaginedDataHub(
        entries=[entry, Entry("b", listed_at=100.1)], attempts=[created("b", has_id=True)], knows_states=True
    )

    def hide(number: int) -> None:
        if number:
            entry.listed_at, entry.active = float("inf"), active

    server.on_read = hide
    end(server, outcome)
    assert bool(server.writes) is active
    assert bool(server.raised) is (outcome is Outcome.FAILURE and not active)


def test_nothing_is_written_where_the_second_look_fails() -> None:
    class Failing(ImaginedDataHub):
        def read(self, questions: Sequence[HealthQuery]) -> Reading:
            if self.read_at:
                self.entries, self.problems = [], (ERROR,)
            return ImaginedDataHub.read(self, questions)

    server = Failing(entries=[Entry("a")])
    result = end(server, Outcome.FAILURE)
    assert (result.change, result.message) == (Change.FAILED, "a was not updated: DataHub failed on it.")
    assert server.writes == []


def test_resolving_keeps_what_a_person_wrote_below_its_own_message() -> None:
    server = ImaginedDataHub(entries=[Entry("a", message="Ana: looking at the loader")])
    end(server, Outcome.SUCCESS)
    ((_, _, message),) = server.writes
    assert message.endswith("which succeeded.\n\nBefore: Ana: looking at the loader")


# What a success resolves

NUMBER = int(RUN.run_id)
JOB, BUILD, CHECKS = Cause.JOB, Cause.BUILD, Cause.CHECKS


def raised(urn: str = "a", *, run: int = NUMBER, cause: Cause = JOB, kept: int = 0, since: Cause = JOB) -> Entry:
    """An incident that a run raised for a cause, and that another run may have kept, for what failed since."""
    message = sign_message("Failed again.", str(kept), since) if kept else None
    return Entry(urn, description=sign("failed", IDENTITY.mark_of(ASSET, run=str(run), cause=cause)), message=message)


def quoted(run: int) -> Entry:
    """An incident below whose message a person wrote."""
    return Entry("a", message=f"{sign_message('Failed again.', str(run))}\nAna: looking")


@pytest.mark.parametrize("problems", [(), (ERROR,)])
@pytest.mark.parametrize(
    ("entries", "change", "incidents"),
    [
        ([Entry("b", created_ms=2), Entry("a", created_ms=1), Entry("over", active=False)], Change.RESOLVED, "ab"),
        # A newer run raised or kept it.
        ([raised(run=NUMBER - 1)], Change.RESOLVED, "a"),
        ([raised(run=NUMBER + 1)], Change.LEFT, "a"),
        ([raised(run=10_000)], Change.LEFT, "a"),  # not compared as text
        ([raised(run=999)], Change.RESOLVED, "a"),
        ([raised(run=NUMBER - 1, kept=NUMBER)], Change.RESOLVED, "a"),
        ([raised(kept=NUMBER + 1)], Change.LEFT, "a"),
        ([raised(run=NUMBER + 1, kept=NUMBER)], Change.LEFT, "a"),
        ([quoted(NUMBER + 1)], Change.LEFT, "a"),
        ([raised(), raised("b", run=NUMBER + 1)], Change.RESOLVED, "a"),
        # The job's success says nothing of checks.
        ([raised(cause=CHECKS)], Change.LEFT, "a"),
        ([raised(kept=NUMBER, since=CHECKS)], Change.LEFT, "a"),
        ([raised(cause=CHECKS), raised("b"), raised("c", cause=BUILD)], Change.RESOLVED, "bc"),
    ],
)
def test_what_the_success_of_a_job_resolves(
    entries: list[Entry], change: Change, incidents: str, problems: tuple[Problem, ...]
) -> None:
    server = ImaginedDataHub(entries=entries, problems=problems)
    result = end(server, Outcome.SUCCESS)
    assert (result.change, result.incidents) == (change, tuple(incidents))
    resolved = incidents if change is Change.RESOLVED else ""
    assert [(what, urn) for what, urn, _ in server.writes] == [("resolve", urn) for urn in resolved]
    assert all("which succeeded" in message for _, _, message in server.writes)


@pytest.mark.parametrize(
    "run", [RUN._replace(is_ordered=False), RUN._replace(run_id=""), RUN._replace(run_id="manual__2026")]
)
def test_every_success_counts_where_runs_have_no_order(run: Run) -> None:
    server = ImaginedDataHub(entries=[raised(run=NUMBER + 1)])
    assert server.end([OUTPUT], Outcome.SUCCESS, run=run).results[0].change is Change.RESOLVED


def test_newest_of_the_newer_runs_is_named() -> None:
    result = end(ImaginedDataHub(entries=[raised(str(n), run=NUMBER + n) for n in (2, 9000, 1)]), Outcome.SUCCESS)
    assert result.message == "Run 10007 is newer than this one and failed, so its incident stays active."


def test_older_run_that_fails_again_does_not_hide_the_newer_one() -> None:
    server = ImaginedDataHub(entries=[raised(kept=NUMBER + 1)])
    end(server, Outcome.FAILURE)
    assert run_in(server.writes[0][2]) == str(NUMBER + 1)


def succeed(server: ImaginedDataHub, *answers: Cause, dry_run: bool = False) -> OutputResult:
    decision = OutputDecision(Effect.RESOLVE, answers=frozenset(answers), reason="it was built")
    (result,) = server.end([OUTPUT], Outcome.SUCCESS, decision=decision, dry_run=dry_run).results
    return result


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("answered", list(Cause))
def test_success_resolves_only_incidents_whose_cause_it_answers(
    cause: Cause, answered: Cause, *, dry_run: bool
) -> None:
    server = ImaginedDataHub(entries=[raised(cause=cause)])
    result = succeed(server, answered, dry_run=dry_run)
    resolved = Change.WOULD_RESOLVE if dry_run else Change.RESOLVED
    assert (result.change, result.incidents) == (resolved if cause is answered else Change.LEFT, ("a",))
    assert bool(server.writes) is (cause is answered and not dry_run)


@pytest.mark.parametrize(
    ("causes", "needed"),
    [
        ((Cause.JOB,), "until the job succeeds"),
        ((Cause.BUILD,), "until it is built or all of its checks pass"),
        ((Cause.CHECKS,), "until all of its checks pass"),
        ((Cause.JOB, Cause.CHECKS, Cause.BUILD), "until all of its checks pass"),
        ((Cause.JOB, Cause.BUILD), "until it is built or all of its checks pass"),
    ],
)
def test_incidents_that_a_success_does_not_answer_stay_until_the_strictest_cause_is(
    causes: tuple[Cause, ...], needed: str
) -> None:
    server = ImaginedDataHub(entries=[raised(urn, cause=cause) for cause, urn in zip(causes, "abc", strict=False)])
    result = succeed(server)
    assert (result.change, result.incidents) == (Change.LEFT, tuple("abc"[: len(causes)]))
    assert result.message == f"It stays active {needed}."
    assert server.writes == []


def test_success_of_a_job_that_shows_nothing_of_checks_says_what_does() -> None:
    result = end(ImaginedDataHub(entries=[raised(cause=CHECKS)]), Outcome.SUCCESS)
    assert (result.message, result.hint) == (
        "It stays active until all of its checks pass, which the job's success alone does not show.",
        "Give the step their results (`test-results`), or resolve the incident by hand.",
    )


@pytest.mark.parametrize("failed", list(Cause))
def test_failure_is_raised_for_its_cause(failed: Cause) -> None:
    server = ImaginedDataHub(attempts=[created("a")], entries=[Entry("a", listed_at=100.1)])
    (result,) = server.end([OUTPUT], Outcome.FAILURE, decision=JOB_FAILED._replace(cause=failed)).results
    assert result.change is Change.RAISED
    ((incident, _),) = server.raised
    assert incident.description.endswith(f"cause {failed}")


# Answers that are not there


def test_incident_that_is_gone_gives_way_to_the_next_of_ours() -> None:
    server = ImaginedDataHub(entries=[Entry("a", created_ms=1), Entry("b", created_ms=2)], gone={"a"})
    result = end(server, Outcome.FAILURE)
    assert (result.change, result.incidents) == (Change.KEPT, ("b",))
    assert [(what, urn) for what, urn, _ in server.writes] == [("keep", "a"), ("keep", "b")]
    assert server.raised == []


def test_failure_whose_incidents_are_all_gone_is_raised() -> None:
    server = ImaginedDataHub(entries=[Entry("a"), Entry("new", listed_at=101.0)], gone={"a"}, attempts=[created("new")])
    server.on_attempt = lambda _number: server.entries.__delitem__(0)
    assert end(server, Outcome.FAILURE).incidents == ("new",)


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.EXISTENCE_NOT_SUPPORTED])
def test_failure_on_an_asset_that_cannot_be_read_is_not_raised(reason: Reason) -> None:
    server = ImaginedDataHub(problems=(Problem(reason, "It is odd", "Look."),))
    result = end(server, Outcome.FAILURE)
    assert (result.change, result.message, result.hint) == (Change.FAILED, "It is odd.", "Look.")
    assert server.raised == []


def test_failure_is_kept_even_where_something_else_cannot_be_read() -> None:
    assert end(ImaginedDataHub(entries=[Entry("a")], problems=(ERROR,)), Outcome.FAILURE).change is Change.KEPT


def test_failure_is_raised_where_the_server_cannot_tell_what_exists() -> None:
    unsure = Problem(Reason.EXISTENCE_NOT_SUPPORTED, "It cannot be asked")
    server = ImaginedDataHub(problems=(unsure,), attempts=[created("a")], entries=[Entry("a", listed_at=100.1)])
    assert end(server, Outcome.FAILURE).change is Change.RAISED


@pytest.mark.parametrize("reason", list(Reason))
def test_success_on_an_asset_that_cannot_be_read_says_so(reason: Reason) -> None:
    result = end(ImaginedDataHub(problems=(Problem(reason, "It is odd", "Look."),)), Outcome.SUCCESS)
    if reason in {Reason.NOT_FOUND, Reason.REMOVED}:
        assert (result.change, result.message, result.hint) == (Change.CLEAR, "It is odd.", "Look.")
        assert result.absent is reason
    elif reason in {Reason.EXISTENCE_UNKNOWN, Reason.EXISTENCE_NOT_SUPPORTED}:
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


def test_what_was_resolved_before_a_refusal_is_reported() -> None:
    entries = [Entry(urn, created_ms=number) for number, urn in enumerate("abc")]
    result = end(ImaginedDataHub(entries=entries, refuses={"b": WriteError("No.", hint="Ask.")}), Outcome.SUCCESS)
    assert (result.change, result.resolved, result.hint) == (Change.FAILED, ("a", "c"), "Ask.")
    assert result.message == "No. Resolved before: a, c."


def test_what_was_raised_before_a_refusal_is_reported() -> None:
    entries = [Entry("b", listed_at=101.0), Entry("a", listed_at=101.0, created_ms=1)]
    server = ImaginedDataHub(entries=entries, attempts=[created("b")], refuses={"b": WriteError("No.")})
    result = end(server, Outcome.FAILURE)
    assert (result.change, result.raised, result.title) == (Change.FAILED, ("a",), server.raised[0][0].title)


def test_what_was_resolved_before_the_time_was_up_is_reported() -> None:
    answered = Event()

    class Hanging(ImaginedDataHub):
        def resolve(self, incident_urn: str, message: str) -> bool:
            if incident_urn == "b":
                self.now += 1_000
                answered.wait(10)
            return super().resolve(incident_urn, message)

    server = Hanging(entries=[Entry("a", created_ms=1), Entry("b", created_ms=2)])
    result = end(server, Outcome.SUCCESS)
    answered.set()
    assert (result.change, result.resolved, result.hint) == (Change.FAILED, ("a",), "Raise `timeout`.")
    assert result.message.startswith("The time was up before it was known whether it was written. Resolved before: a")


@pytest.mark.parametrize(
    ("entries", "outcome", "change", "incidents"),
    [
        ([], Outcome.FAILURE, Change.WOULD_RAISE, ()),
        ([Entry("b", created_ms=2), Entry("a", created_ms=1)], Outcome.FAILURE, Change.WOULD_KEEP, ("a",)),
        ([Entry("b", created_ms=2), Entry("a", created_ms=1)], Outcome.SUCCESS, Change.WOULD_RESOLVE, ("a", "b")),
        ([], Outcome.SUCCESS, Change.CLEAR, ()),
        ([Entry("a", description=signed("failed", ASSET, run="1008"))], Outcome.SUCCESS, Change.LEFT, ("a",)),
    ],
)
def test_dry_run_says_what_it_would_do_and_writes_nothing(
    entries: list[Entry], outcome: Outcome, change: Change, incidents: tuple[str, ...]
) -> None:
    server = ImaginedDataHub(entries=entries)
    result = end(server, outcome, dry_run=True)
    assert (result.change, result.incidents, result.resolved) == (change, incidents, ())
    assert (server.writes, server.raised) == ([], [])
    assert len(server.read_at) == 1


def test_dry_run_says_what_it_could_not_do() -> None:
    assert end(ImaginedDataHub(problems=(ERROR,)), Outcome.FAILURE, dry_run=True).change is Change.FAILED
