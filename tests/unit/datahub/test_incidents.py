"""Writing to servers of every kind, answer by answer."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from incident_gate.datahub.client import Client
from incident_gate.datahub.incidents import Attempt, IncidentState, NewIncident, RaiseStatus, Writer
from incident_gate.datahub.parallel import Deadline
from incident_gate.errors import UnreachableError, WriteError
from incident_gate.incident import Mark, Priority, sign

NEW = NewIncident(
    asset="urn:li:dataset:x",
    type="OPERATIONAL",
    title="failed",
    description="why",
    custom_type=None,
    priority=Priority.CRITICAL,
    assignees=("urn:li:corpuser:ana",),
    started_ms=5,
)
URN = "urn:li:incident:mine"
INVALID = {"errors": [{"message": "Validation error", "extensions": {"classification": "ValidationError"}}]}

GRANT = "Give the token's user the privilege Edit Incidents on the asset."
LOOK = "Look the asset up in DataHub, and the type of the incident in the manifest."

Body = dict[str, Any]
Answer = httpx.Response | Exception


def data(**fields: object) -> httpx.Response:
    return httpx.Response(200, json={"data": fields})


def error(message: str, code: int | None = None, field: str = "raiseIncident") -> httpx.Response:
    extensions = {} if code is None else {"code": code}
    return httpx.Response(
        200, json={"data": {field: None}, "errors": [{"message": message, "path": [field], "extensions": extensions}]}
    )


class Server:
    """Answers in turn, and keeps what it was asked."""

    def __init__(self, *answers: Answer | Callable[[Body], httpx.Response]) -> None:
        self.answers = list(answers)
        self.asked: list[Body] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body: Body = json.loads(request.content)
        self.asked.append(body)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(body)

    def writer(self, seconds: float = 30.0) -> Writer:
        client = httpx.Client(transport=httpx.MockTransport(self), headers={"Authorization": "Bearer x"})
        return Writer(Client(client, "http://datahub/api/graphql", Deadline.after(seconds)))

    @property
    def forms(self) -> list[str]:
        """Which form of raising each request had."""
        return ["id" if "$id" in b["query"] else "name" if "assignee" in b["query"] else "number" for b in self.asked]


# Raising


def test_newest_form_carries_everything() -> None:
    server = Server(data(raiseIncident=URN))
    attempt = server.writer().raise_incident(NEW, "mine")
    assert attempt == Attempt(RaiseStatus.CREATED, urn=URN, has_id=True)
    (body,) = server.asked
    assert body["operationName"] == "incidentGateRaise"
    assert body["variables"] == {
        "asset": "urn:li:dataset:x",
        "type": "OPERATIONAL",
        "customType": None,
        "title": "failed",
        "description": "why",
        "priority": "CRITICAL",
        "assignees": ["urn:li:corpuser:ana"],
        "startedAt": 5,
        "id": "mine",
    }


def test_nothing_stands_for_no_priority_and_no_assignees() -> None:
    server = Server(data(raiseIncident=URN))
    plain = NewIncident(asset="a", type="CUSTOM", custom_type="late", title="t", description="d")
    server.writer().raise_incident(plain, "mine")
    variables = server.asked[0]["variables"]
    assert (variables["priority"], variables["assignees"], variables["customType"]) == (None, None, "late")


def test_older_forms_are_found_once_and_remembered() -> None:
    server = Server(*[httpx.Response(200, json=INVALID)] * 2, data(raiseIncident=URN), data(raiseIncident=URN))
    writer = server.writer()
    for _ in range(2):
        assert writer.raise_incident(NEW, "mine") == Attempt(RaiseStatus.CREATED, urn=URN)
    assert server.forms == ["id", "name", "number", "number"]
    assert [body["variables"]["priority"] for body in server.asked] == ["CRITICAL", "CRITICAL", 0, 0]


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ("Oops", None, "Oops"),
        ("Validation error", 500, "Validation error (code 500)"),
        ("Unknown type of aspect", 500, "Unknown type of aspect (code 500)"),
    ],
)
def test_failed_write_is_no_sign_of_an_older_server_whatever_its_words_are(
    message: str, code: int | None, reason: str
) -> None:
    """It may have been done: another form would raise a second one."""
    server = Server(error(message, code))
    attempt = server.writer().raise_incident(NEW, "mine")
    assert (attempt.status, attempt.reason) == (RaiseStatus.UNKNOWN, reason)
    assert server.forms == ["id"]


def test_type_that_no_form_can_carry_changes_no_form() -> None:
    unknown = {"errors": [{"message": "Variable 'type' has an invalid value: No value found for name 'SLA'"}]}
    server = Server(
        httpx.Response(200, json=unknown), *[httpx.Response(200, json=INVALID)] * 2, data(raiseIncident=URN)
    )
    writer = server.writer()
    with pytest.raises(WriteError, match=r"No incident could be raised on a: .*'SLA'"):
        writer.raise_incident(NewIncident(asset="a", type="SLA", title="t", description="d"), "mine")
    assert writer.raise_incident(NEW, "mine").has_id
    assert server.forms == ["id", "name", "number", "id"]


def test_what_no_form_explains_is_told_in_the_words_of_the_oldest() -> None:
    def refusal(words: str) -> httpx.Response:
        return httpx.Response(200, json={"errors": [{"message": f"Validation error: {words}"}]})

    server = Server(refusal("first"), refusal("second"), refusal("third"))
    with pytest.raises(WriteError, match="third"):
        server.writer().raise_incident(NEW, "mine")


def test_form_of_resolving_is_not_given_up_twice() -> None:
    """Two threads may learn at the same time that there are no stages."""
    writers: list[Writer] = []

    def refuse_late(_body: Body) -> httpx.Response:
        assert writers[0].resolve(URN, "by the other thread")
        return httpx.Response(200, json=INVALID)

    confirmed = data(updateIncidentStatus=True)
    server = Server(refuse_late, httpx.Response(200, json=INVALID), confirmed, confirmed)
    writers.append(server.writer())
    assert writers[0].resolve(URN, "by this one")
    assert ["stage" in body["query"] for body in server.asked] == [True, True, False, False]


def test_refusal_in_an_older_form_settles_the_form() -> None:
    refused = error("customType is required: Failed to create incident.", 500)
    server = Server(httpx.Response(200, json=INVALID), refused, data(raiseIncident=URN))
    writer = server.writer()
    with pytest.raises(WriteError, match="customType is required"):
        writer.raise_incident(NEW, "mine")
    writer.raise_incident(NEW, "mine")
    assert server.forms == ["id", "name", "name"]


def test_taken_id_is_the_incident_of_that_id() -> None:
    attempt = Server(error("Incident mine already exists.", 409)).writer().raise_incident(NEW, "mine")
    assert attempt == Attempt(RaiseStatus.EXISTS, urn=URN, has_id=True)


def test_conflict_on_a_server_that_takes_no_id_is_a_refusal() -> None:
    server = Server(httpx.Response(200, json=INVALID), error("Conflict.", 409))
    with pytest.raises(WriteError, match="Conflict"):
        server.writer().raise_incident(NEW, "mine")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (error("An unknown error occurred.", 500), "An unknown error occurred. (code 500)"),
        (data(raiseIncident=None), "DataHub's answer names no incident"),
        (data(raiseIncident="urn:li:dataset:x"), "DataHub's answer names no incident"),
        (data(raiseIncident=7), "DataHub's answer names no incident"),
        (httpx.Response(500), "datahub answers HTTP 500"),
    ],
)
@pytest.mark.parametrize("takes_id", [True, False])
def test_answer_that_says_nothing_of_the_write_leaves_it_open(
    answer: httpx.Response, reason: str, *, takes_id: bool
) -> None:
    server = Server(*([] if takes_id else [httpx.Response(200, json=INVALID)]), answer)
    attempt = server.writer().raise_incident(NEW, "mine")
    assert attempt == Attempt(RaiseStatus.UNKNOWN, reason=reason, has_id=takes_id)


@pytest.mark.parametrize("answer", [httpx.ReadError("reset"), httpx.Response(503), error("busy", 503)])
def test_lost_answer_is_asked_again_with_an_id_alone(answer: Answer) -> None:
    server = Server(httpx.Response(200, json=INVALID), answer)
    attempt = server.writer().raise_incident(NEW, "mine")
    assert (attempt.status, attempt.has_id) == (RaiseStatus.UNKNOWN, False)
    assert attempt.reason
    assert len(server.asked) == 2

    server = Server(answer, error("Incident mine already exists.", 409))
    assert server.writer().raise_incident(NEW, "mine").status is RaiseStatus.EXISTS
    assert [body["variables"]["id"] for body in server.asked] == ["mine", "mine"]


def test_answers_that_stay_lost_leave_it_open_with_an_id() -> None:
    server = Server(*[httpx.ReadError("reset")] * 99)
    attempt = server.writer(seconds=0.5).raise_incident(NEW, "mine")
    assert (attempt.status, attempt.has_id) == (RaiseStatus.UNKNOWN, True)
    assert "reset" in attempt.reason
    assert not attempt.reason.endswith(".")


def test_server_that_never_took_the_question_is_unreachable() -> None:
    server = Server(httpx.Response(200, json=INVALID), *[httpx.ConnectError("refused")] * 99)
    with pytest.raises(UnreachableError):
        server.writer(seconds=0.5).raise_incident(NEW, "mine")


def test_second_incident_beside_hidden_ones_is_raised_only_with_an_id() -> None:
    server = Server(data(raiseIncident=URN), httpx.Response(200, json=INVALID))
    writer = server.writer()
    assert writer.raise_incident(NEW, "mine", hidden=1).has_id
    with pytest.raises(WriteError, match="counts 2 more active incidents on urn:li:dataset:x than it shows"):
        writer.raise_incident(NEW, "mine", hidden=2)
    assert server.forms == ["id", "id"]


@pytest.mark.parametrize(
    "answer",
    [
        error("Entity type for urn: x is not a valid destination for field path: /entities/*", 500),
        error("Failed to update resource. Entity does not exist.", 400),
        error("customType is required: Failed to create incident.", 500),
    ],
)
def test_refusal_says_what_to_do(answer: httpx.Response) -> None:
    with pytest.raises(WriteError) as caught:
        Server(answer).writer().raise_incident(NEW, "mine")
    assert caught.value.hint == LOOK
    assert caught.value.message.startswith("No incident could be raised on urn:li:dataset:x: ")
    with pytest.raises(WriteError, match=f"^{URN} could not be updated: ") as caught:
        Server(answer).writer().resolve(URN, "resolved")
    assert caught.value.hint == LOOK


@pytest.mark.parametrize("answer", [error("Unauthorized to perform this.", 403), error("You are not authorized.")])
def test_missing_privilege_is_named_in_our_own_words(answer: httpx.Response) -> None:
    with pytest.raises(WriteError) as caught:
        Server(answer).writer().raise_incident(NEW, "mine")
    assert caught.value.message == "The token may not edit incidents on this asset."
    assert caught.value.hint == GRANT


# Keeping and resolving


@pytest.mark.parametrize("answer", [True, "true"])
def test_update_is_confirmed_by_a_truth_value_or_its_word(answer: object) -> None:
    server = Server(data(updateIncidentStatus=answer), data(updateIncidentStatus=answer))
    writer = server.writer()
    assert writer.keep(URN, message="still", stage=None)
    assert writer.resolve(URN, "resolved")
    assert [body["variables"] for body in server.asked] == [
        {"urn": URN, "message": "still"},
        {"urn": URN, "message": "resolved"},
    ]
    assert "state: ACTIVE" in server.asked[0]["query"]
    assert "state: RESOLVED, stage: FIXED" in server.asked[1]["query"]


@pytest.mark.parametrize("answer", [False, None, "false", 0, 1, "yes", [], {}])
def test_update_that_is_not_confirmed_is_an_error(answer: object) -> None:
    with pytest.raises(WriteError, match=f"{URN} could not be updated: DataHub did not confirm it"):
        Server(data(updateIncidentStatus=answer)).writer().keep(URN, message="still", stage=None)


def test_stage_is_left_out_where_there_is_none_and_that_is_remembered() -> None:
    server = Server(httpx.Response(200, json=INVALID), *[data(updateIncidentStatus=True)] * 2)
    writer = server.writer()
    assert writer.resolve(URN, "resolved")
    assert writer.resolve(URN, "resolved")
    assert ["stage" in body["query"] for body in server.asked] == [True, False, False]


def test_server_that_understands_no_form_of_resolving_says_so() -> None:
    with pytest.raises(WriteError, match="could not be updated"):
        Server(*[httpx.Response(200, json=INVALID)] * 2).writer().resolve(URN, "resolved")


def test_incident_that_is_gone_is_no_error() -> None:
    gone = error("Incident does not exist.", 404, "updateIncidentStatus")
    writer = Server(gone, gone).writer()
    assert writer.keep(URN, message="still", stage=None) is False
    assert writer.resolve(URN, "resolved") is False


def test_update_is_asked_again_when_its_answer_is_lost() -> None:
    server = Server(httpx.ReadError("reset"), data(updateIncidentStatus=True))
    assert server.writer().resolve(URN, "resolved")
    assert len(server.asked) == 2


def test_keeping_is_sent_once_because_a_person_may_resolve_it_meanwhile() -> None:
    server = Server(httpx.ReadError("reset"))
    assert server.writer().keep(URN, message="still", stage=None) is None
    assert len(server.asked) == 1


def test_stage_is_sent_back_where_there_is_one() -> None:
    server = Server(*[data(updateIncidentStatus=True)] * 2)
    writer = server.writer()
    assert writer.keep(URN, message="still", stage="TRIAGE")
    assert writer.keep(URN, message="still", stage=None)
    assert "stage: $stage" in server.asked[0]["query"]
    assert server.asked[0]["variables"] == {"urn": URN, "message": "still", "stage": "TRIAGE"}
    assert "stage" not in server.asked[1]["query"]


# Reading from the primary store


MARK = Mark("a" * 32, "b" * 32, "7")


@pytest.mark.parametrize(
    ("entity", "known"),
    [
        ({"status": {"state": "ACTIVE"}, "entity": {"urn": "x"}}, IncidentState("x", is_active=True)),
        ({"status": {"state": "RESOLVED"}, "entity": {"urn": "x"}}, IncidentState("x", is_active=False)),
        (
            {"status": {"state": "ACTIVE"}, "entity": {"urn": "x"}, "description": sign("d", MARK)},
            IncidentState("x", is_active=True, mark=MARK),
        ),
        ({"status": {"state": 1}, "entity": {"urn": "x"}}, None),
        ({"status": "ACTIVE", "entity": {"urn": "x"}}, None),
        ({"status": {"state": "ACTIVE"}, "entity": None}, None),
        ({"status": {"state": "ACTIVE"}}, None),
        ({}, None),
        (None, None),
        ("x", None),
    ],
)
def test_incident_is_read_whole_or_not_at_all(entity: object, known: IncidentState | None) -> None:
    server = Server(data(entity=entity))
    assert server.writer().read_incident(URN) == known
    assert server.asked[0]["variables"] == {"urn": URN}


def test_server_that_cannot_be_asked_for_an_incident() -> None:
    assert Server(httpx.Response(200, json=INVALID)).writer().read_incident(URN) is None
