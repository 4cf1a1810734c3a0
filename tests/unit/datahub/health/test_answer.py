import json
from typing import Any

import pytest

from incident_gate.datahub.capabilities import VISIBILITY_FIELDS
from incident_gate.datahub.failure import GraphqlError
from incident_gate.datahub.health.answer import Asked, Element, HealthQuery, PartialHealth, is_restricted, read_element
from incident_gate.datahub.health.listing import MOST_DESCRIPTION, Listing
from incident_gate.incident import Health, Mark, Priority, Reason, read_priority, sign
from incident_gate.text import NO_SECRETS, Redactor
from incident_gate.urn import EntityType, parse_urn
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS

ASKED = ("exists", "status", "incidents", "siblings")
QUERY = HealthQuery(parse_urn(ORDERS))
NONE: dict[str, Any] = {"total": 0, "incidents": []}


def healthy(**changes: Any) -> dict[str, Any]:
    platform = {"name": "snowflake"}
    whole = {"urn": ORDERS, "exists": True, "status": None, "platform": platform, "incidents": NONE, "siblings": None}
    return {**whole, **changes}


def sibling_of(urn: str, **changes: Any) -> dict[str, Any]:
    return {"urn": urn, "platform": {"name": "dbt"}, "incidents": NONE, **changes}


def health_of(
    value: object, *errors: GraphqlError, query: HealthQuery = QUERY, redact: Redactor = NO_SECRETS
) -> Health:
    partial = PartialHealth(query, redact)
    read_element(partial, Element(value, errors), Asked(query.questions))
    return partial.health()


WITH_ASSERTIONS = QUERY._replace(assertions=True)
HEALTHY = Health(urn=ORDERS, answered=QUERY.questions)


def reasons(health: Health) -> list[Reason]:
    return [problem.reason for problem in health.problems]


def test_whole_answer_without_incidents_is_health() -> None:
    assert health_of(healthy()) == HEALTHY


@pytest.mark.parametrize("value", ["text", 5, True, [], [healthy(), healthy()]])
def test_what_is_no_object_is_malformed(value: object) -> None:
    assert reasons(health_of(value)) == [Reason.MALFORMED]


@pytest.mark.parametrize("name", ASKED)
def test_field_that_was_asked_for_and_is_missing_is_malformed(name: str) -> None:
    value = healthy()
    del value[name]

    health = health_of(value)

    assert health.problems[0].reason is Reason.MALFORMED
    assert name in health.problems[0].message


@pytest.mark.parametrize("status", [{"removed": None}, {"removed": "false"}, {"removed": 0}, {}, "x", [], False])
def test_status_that_does_not_say_whether_it_was_removed_is_malformed(status: object) -> None:
    assert reasons(health_of(healthy(status=status))) == [Reason.MALFORMED]


@pytest.mark.parametrize("siblings", ["x", [], 5, {}, {"siblings": "x"}, {"siblings": {"urn": MODEL}}])
def test_siblings_that_are_no_list_are_malformed(siblings: object) -> None:
    assert reasons(health_of(healthy(siblings=siblings))) == [Reason.MALFORMED]


@pytest.mark.parametrize("sibling", [None, {}, {"urn": None}, "x"])
def test_sibling_that_is_not_shown_is_hidden(sibling: object) -> None:
    assert reasons(health_of(healthy(siblings={"siblings": [sibling]}))) == [Reason.HIDDEN]


def test_asset_among_its_own_siblings_is_counted_once() -> None:
    listed = {"total": 1, "incidents": [{"urn": "urn:li:incident:1"}]}
    health = health_of(healthy(incidents=listed, siblings={"siblings": [sibling_of(ORDERS, incidents=listed)]}))

    assert [incident.asset for incident in health.incidents] == [ORDERS]
    assert health.siblings == ()


@pytest.mark.parametrize("exists", [None, "true", 1, {}])
def test_existence_that_is_not_said_is_unknown(exists: object) -> None:
    assert reasons(health_of(healthy(exists=exists))) == [Reason.EXISTENCE_UNKNOWN]


@pytest.mark.parametrize("total", [None, -1, 0.0, "0", True, False, [], float("inf"), 2**31 + 1, 10**4_299])
def test_count_that_is_none_is_malformed(total: object) -> None:
    assert Reason.MALFORMED in reasons(health_of(healthy(incidents={"total": total, "incidents": []})))


@pytest.mark.parametrize("page", ["x", 0, [], {"total": 0}, {"total": 0, "incidents": None}])
def test_list_that_is_none_is_malformed(page: object) -> None:
    assert Reason.MALFORMED in reasons(health_of(healthy(incidents=page)))


@pytest.mark.parametrize("element", [None, {}, "x", {"urn": None}, {"urn": ""}, {"urn": 5}])
def test_incident_that_is_not_shown_is_counted(element: object) -> None:
    health = health_of(healthy(incidents={"total": 0, "incidents": [element]}))

    assert health.unread == 1


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"status": None},
        {"status": {"state": None}},
        {"status": {"state": "resolved"}},
        {"status": {"state": ["RESOLVED"]}},
        {"status": "RESOLVED"},
        {"state": "RESOLVED"},
    ],
)
def test_incident_whose_end_is_not_said_is_active(status: dict[str, Any]) -> None:
    health = health_of(healthy(incidents={"total": 1, "incidents": [{"urn": "urn:li:incident:1", **status}]}))

    assert len(health.incidents) == 1


def test_incident_that_ends_while_it_is_read_leaves_none_uncounted() -> None:
    listing = Listing(ORDERS)
    listing.add({"total": 2, "incidents": [{"urn": "urn:li:incident:1"}]}, size=1)
    listing.add({"total": 2, "incidents": [{"urn": "urn:li:incident:1", "status": {"state": "RESOLVED"}}]}, size=1)

    assert listing.unread == 1


def test_error_in_an_asset_is_told_with_its_code() -> None:
    health = health_of(healthy(), GraphqlError("no access", ("entities", 0), 403))

    assert health.problems[0].message == "DataHub reported an error for this asset: no access (code 403)"


@pytest.mark.parametrize(
    ("sent", "priority"),
    [
        (0, Priority.CRITICAL),
        (3, Priority.LOW),
        (-5, Priority.CRITICAL),
        (10**40, Priority.LOW),
        ("HIGH", Priority.HIGH),
        ("high", None),
        ("P1", None),
        (None, None),
        (True, None),
        (1.0, None),
        ([], None),
    ],
)
def test_priority_of_either_kind_of_server_is_on_one_scale(sent: object, priority: Priority | None) -> None:
    assert read_priority(sent) is priority


@pytest.mark.parametrize("path", [("aspects",), ("aspects", 0, "payload")])
def test_witness_that_fails_is_no_reason_to_block(path: tuple[str | int, ...]) -> None:
    assert health_of(healthy(aspects=None), GraphqlError("x", path, 500)) == HEALTHY


OF_A_SIBLING = ("siblings", "siblings", 0, "aspects")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (None, ("aspects",)),
        (None, ("aspects", 0, "payload")),
        (None, OF_A_SIBLING),
        (healthy(siblings=None), OF_A_SIBLING),
        (healthy(siblings={"siblings": None}), OF_A_SIBLING),
        (healthy(siblings={"siblings": []}), OF_A_SIBLING),
    ],
)
def test_witness_that_takes_more_with_it_when_it_fails_leaves_the_health_unknown(
    value: object, path: tuple[str | int, ...]
) -> None:
    assert reasons(health_of(value, GraphqlError("x", path, 500))) == [Reason.ERROR]


def test_witness_of_the_last_sibling_that_fails_is_no_reason_to_block() -> None:
    siblings = [sibling_of(urn, aspects=None) for urn in (CUSTOMERS, MODEL)]
    value = healthy(siblings={"siblings": siblings})

    health = health_of(value, GraphqlError("timed out", ("siblings", "siblings", 1, "aspects")))

    assert health == HEALTHY._replace(siblings=(CUSTOMERS, MODEL))


def test_assertions_that_fail_are_no_problem_of_the_incidents() -> None:
    error = GraphqlError("timed out", ("assertions", "assertions"))

    health = health_of(healthy(assertions=None), error, query=WITH_ASSERTIONS)

    assert health.problems == ()
    assert [problem.reason for problem in health.assertion_problems] == [Reason.ASSERTIONS]


def test_error_of_assertions_that_are_there_all_the_same_leaves_the_health_unknown() -> None:
    """They may lack what failed, and nothing in them shows it."""
    value = healthy(assertions={"total": 0, "count": 0, "assertions": []})

    health = health_of(value, GraphqlError("timed out", ("assertions", "assertions")), query=WITH_ASSERTIONS)

    assert reasons(health) == [Reason.ERROR]


def test_asset_that_is_not_there_is_not_reported_as_hidden_too() -> None:
    assert reasons(health_of(healthy(exists=False, platform=None))) == [Reason.NOT_FOUND]
    assert reasons(health_of(healthy(exists=True, platform=None))) == [Reason.HIDDEN]


def test_asset_with_other_incidents_as_its_own_sibling_is_unknown() -> None:
    itself = sibling_of(ORDERS, incidents={"total": 1, "incidents": [{"urn": "urn:li:incident:1"}]})

    assert reasons(health_of(healthy(siblings={"siblings": [itself]}))) == [Reason.MALFORMED]


def test_incident_that_only_the_summary_names_is_unverified() -> None:
    details = {"urn": "urn:li:incident:1", "type": "VOLUME", "priority": 1, "createdAt": 5}
    payload = json.dumps({"activeIncidentDetails": [details], "activeIncidents": ["urn:li:incident:2"]})
    health = health_of(healthy(aspects=[{"aspectName": "incidentsSummary", "payload": payload}]))

    assert [(i.urn[-1], i.type, i.priority, i.created_ms) for i in health.unverified] == [
        ("1", "VOLUME", Priority.HIGH, 5),
        ("2", None, None, None),
    ]


@pytest.mark.parametrize("kind", EntityType)
def test_shell_of_every_type_is_told_from_the_asset(kind: EntityType) -> None:
    field, _, inner = VISIBILITY_FIELDS[kind.value].partition(" ")
    shown = {"name": "s3"} if "name" in inner else {"urn": "x"} if inner else "looker"
    blank = {"name": ""} if "name" in inner else None if inner else ""

    assert not is_restricted({"urn": "u", "name": "n", field: shown}, kind)
    assert is_restricted({"urn": "u", "name": "n", field: blank}, kind)
    assert is_restricted({"urn": "u", "name": "n"}, kind)
    assert not is_restricted({"urn": "u", field: blank, "status": {"removed": False}}, kind)


def test_hidden_sibling_is_unknown() -> None:
    sibling = sibling_of(MODEL, platform={"name": ""})

    assert reasons(health_of(healthy(siblings={"siblings": [sibling]}))) == [Reason.HIDDEN]


def test_everything_of_a_sibling_counts() -> None:
    payload = json.dumps({"activeIncidents": ["urn:li:incident:2"]})
    sibling = {
        "urn": MODEL,
        "platform": {"name": "dbt"},
        "incidents": {"total": 1, "incidents": [{"urn": "urn:li:incident:1"}]},
        "aspects": [{"aspectName": "incidentsSummary", "payload": payload}],
        "assertions": None,
    }
    value = healthy(siblings={"siblings": [sibling]}, assertions={"total": 0, "assertions": []})

    health = health_of(value, query=WITH_ASSERTIONS)

    assert [(incident.urn[-1], incident.asset) for incident in health.incidents] == [("1", MODEL)]
    assert [(incident.urn[-1], incident.asset) for incident in health.unverified] == [("2", MODEL)]
    assert len(health.assertion_problems) == 1


def test_urn_of_a_sibling_shows_no_secret() -> None:
    sibling = sibling_of(f"{MODEL}s3cr3t", incidents={"total": 1, "incidents": [{"urn": "urn:li:incident:1"}]})
    value = healthy(siblings={"siblings": [sibling]})

    health = health_of(value, redact=Redactor(("s3cr3t",)))

    assert len(health.siblings) == len(health.incidents) == 1
    assert "s3cr3t" not in str(health)


def test_error_that_refuses_is_a_refusal_and_the_list_that_it_took_is_no_second_problem() -> None:
    health = health_of(healthy(incidents=None), GraphqlError("no access", ("incidents",), 403))

    assert reasons(health) == [Reason.REFUSED]


def test_description_is_cut_on_arrival_after_its_mark_was_read() -> None:
    mark = Mark("0" * 32, "1" * 32, "7")
    listed = {"urn": "urn:li:incident:1", "description": sign("x" * 100_000, mark)}

    [incident] = health_of(healthy(incidents={"total": 1, "incidents": [listed]})).incidents

    assert incident.mark == mark
    assert incident.description == "x" * MOST_DESCRIPTION


FAILING = {"total": 1, "assertions": [{"urn": "urn:li:assertion:1", "runEvents": None}]}
NO_ASSERTIONS: dict[str, Any] = {"total": 0, "assertions": []}


@pytest.mark.parametrize("urn", [MODEL, ORDERS])
@pytest.mark.parametrize("first_fails", [True, False])
def test_sibling_that_is_listed_twice_with_other_assertions_is_unknown(urn: str, *, first_fails: bool) -> None:
    twice = [sibling_of(urn, assertions=found) for found in (FAILING, NO_ASSERTIONS)]
    siblings = twice if first_fails else twice[::-1]

    health = health_of(healthy(siblings={"siblings": siblings}, assertions=NO_ASSERTIONS), query=WITH_ASSERTIONS)

    assert Reason.MALFORMED in reasons(health)


@pytest.mark.parametrize("name", ["", None])
def test_shell_whose_properties_have_no_name_is_hidden(name: str | None) -> None:
    assert is_restricted({"properties": {"name": name}}, "domain")
