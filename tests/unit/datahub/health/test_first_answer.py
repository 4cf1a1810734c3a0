"""How a batch is first asked about: what goes into one request, and what each asset is asked for."""

from typing import Any

import httpx
import pytest

from incident_gate.datahub.capabilities import MINIMAL_QUERY, Capabilities
from incident_gate.datahub.health.answer import ACTIVE_ONLY, Extent, HealthQuery, History, PartialHealth
from incident_gate.datahub.health.reader import ALIASES, Reader, ServerState
from incident_gate.incident import Reason
from incident_gate.urn import parse_urn
from tests.helpers.answering import AnsweringServer, failing
from tests.helpers.asking import CUSTOMERS, DASHBOARD, JOB, ORDERS

# Of 2022: incidents on datasets alone, and no list of entities.
OLD = Capabilities(refused=frozenset({("Query", "entities"), ("Dashboard", ""), ("DataJob", "")}))
MISSING = "Validation error (FieldUndefined@[entities/exists]) : Field 'exists' in type 'Dataset' is undefined"
NONE: dict[str, Any] = {"total": 0, "incidents": []}


def query(urn: str, **options: Any) -> HealthQuery:
    return HealthQuery(parse_urn(urn), **options)


def asset(urn: str, **changes: Any) -> dict[str, Any]:
    shown = {"platform": {"name": "s3"}, "tool": "looker", "dataFlow": {"orchestrator": "airflow"}}
    return {"urn": urn, "exists": True, "status": None, "incidents": NONE, "siblings": None, **shown, **changes}


def healthy(_name: str, variables: dict[str, Any]) -> object:
    """A server on which everything is well, in either form."""
    lists = {name.replace("urns", "entities"): urns for name, urns in variables.items() if name.startswith("urns")}
    single = {f"a{name[1:]}": asset(urn) for name, urn in variables.items() if name[1:].isdigit()}
    return {**{name: [asset(urn) for urn in urns] for name, urns in lists.items()}, **single}


def ask(
    server: AnsweringServer, *batch: HealthQuery, known: Capabilities | None = None, extent: Extent = ACTIVE_ONLY
) -> dict[str, PartialHealth]:
    partials: dict[str, PartialHealth] = {}
    with server.client() as client:
        reader = Reader(client, extent, server=ServerState(client, known), sleep=server.sleep)
        reader.fetch_batch(batch, partials)
    return partials


def reasons(partial: PartialHealth) -> list[Reason]:
    return [problem.reason for problem in partial.problems]


def test_assets_of_all_types_are_asked_about_together() -> None:
    server = AnsweringServer(healthy)

    partials = ask(server, query(ORDERS), query(DASHBOARD), query(JOB))

    assert len(server.requests) == 1
    assert [(urn, partial.exists, reasons(partial)) for urn, partial in partials.items()] == [
        (urn, True, []) for urn in (ORDERS, DASHBOARD, JOB)
    ]


def test_nothing_is_asked_about_what_the_server_has_no_incidents_of() -> None:
    server = AnsweringServer(healthy)

    partials = ask(server, query(DASHBOARD), query(JOB, existence_only=True), known=OLD)

    assert server.requests == []
    assert reasons(partials[DASHBOARD]) == [Reason.NO_INCIDENTS_FIELD]
    # `entityExists` answers for it.
    assert reasons(partials[JOB]) == []


def test_each_asset_is_asked_what_its_query_asks() -> None:
    server = AnsweringServer(healthy)

    ask(server, query(ORDERS), query(CUSTOMERS, siblings=False), query(DASHBOARD, existence_only=True))

    [(_, variables)], [document] = server.requests, server.documents
    assert [variables[name] for name in ("urns", "urns1", "urns2")] == [[ORDERS], [CUSTOMERS], [DASHBOARD]]
    first, second, third = (part.partition("fragment")[0] for part in document.split("entities(urns")[1:])
    assert ["siblings" in part for part in (first, second, third)] == [True, False, False]
    assert ["incidents(" in part for part in (first, second, third)] == [True, True, False]


def test_error_in_one_group_is_none_in_another() -> None:
    def answer(name: str, variables: dict[str, Any]) -> object:
        data = healthy(name, variables)
        return failing("entities1", 0, "incidents", data=data) if "urns1" in variables else data

    partials = ask(AnsweringServer(answer), query(ORDERS), query(CUSTOMERS, siblings=False))

    assert (reasons(partials[ORDERS]), reasons(partials[CUSTOMERS])) == ([], [Reason.ERROR])


@pytest.mark.parametrize(
    ("extent", "history", "summary"),
    [
        (ACTIVE_ONLY, False, True),
        (Extent(History.NEWEST), True, True),
        (Extent(History.WHOLE), True, True),
        (Extent(History.NEWEST, summaries=False), True, False),
    ],
)
def test_extent_decides_what_is_read(extent: Extent, *, history: bool, summary: bool) -> None:
    server = AnsweringServer(healthy)

    ask(server, query(DASHBOARD), extent=extent)

    assert ("history:" in server.documents[0], "incidentsSummary" in server.documents[0]) == (history, summary)


def test_old_server_is_asked_about_a_few_assets_with_the_same_question_at_a_time() -> None:
    urns = [f"urn:li:dataset:(urn:li:dataPlatform:hive,t{number},PROD)" for number in range(ALIASES + 1)]
    server = AnsweringServer(healthy)

    partials = ask(server, *map(query, urns), query(ORDERS, siblings=False), known=OLD)

    assert [len(variables) - 2 for _, variables in server.requests] == [40, 1, 1]
    assert ["siblings" in document for document in server.documents] == [True, True, False]
    assert set(partials) == {*urns, ORDERS}


def test_asset_that_fails_alone_is_unknown_and_the_others_are_answered() -> None:
    def answer(name: str, variables: dict[str, Any]) -> object:
        return failing() if CUSTOMERS in variables["urns"] else healthy(name, variables)

    partials = ask(AnsweringServer(answer), query(ORDERS), query(CUSTOMERS), query(DASHBOARD))

    assert {urn: reasons(partial) for urn, partial in partials.items()} == {
        ORDERS: [], CUSTOMERS: [Reason.ERROR], DASHBOARD: []
    }  # fmt: skip


def test_nothing_of_a_form_that_was_refused_counts() -> None:
    """A server without introspection refuses one half of a batch: the next form begins anew."""
    refusal = httpx.Response(200, json={"errors": [{"message": MISSING}]})
    asked: list[str] = []

    def answer(name: str, variables: dict[str, Any]) -> object:
        if not name.startswith("incidentGateHealth"):
            return refusal
        asked.append(name)
        # The whole batch throws, its first half is answered, the second one shows that the server lacks a field.
        return {1: failing(), 3: refusal}.get(len(asked)) or healthy(name, variables)

    partials = ask(AnsweringServer(answer), query(ORDERS), query(CUSTOMERS))

    assert len(asked) == 4
    assert [urn for urn, partial in partials.items() if partial.own.is_read] == [ORDERS, CUSTOMERS]


def test_refusal_that_names_nothing_costs_the_assertions_before_anything_else() -> None:
    refusal = httpx.Response(200, json={"errors": [{"message": "Validation error"}]})

    def answer(name: str, variables: dict[str, Any]) -> object:
        is_refused = name == "incidentGateSchema" or "assertions(" in server.documents[-1]
        return refusal if is_refused else healthy(name, variables)

    server = AnsweringServer(answer)
    partial = ask(server, query(ORDERS, assertions=True))[ORDERS]

    assert (partial.exists, partial.assertion_lists, reasons(partial)) == (True, [], [])


@pytest.mark.parametrize(("urn", "lists"), [(ORDERS, 1), (DASHBOARD, 0)])
def test_assertions_that_a_server_lacks_are_unknown_for_a_dataset_only(urn: str, lists: int) -> None:
    known = Capabilities(refused=frozenset({("Dataset", "assertions")}))

    partial = ask(AnsweringServer(healthy), query(urn, assertions=True), known=known)[urn]

    assert len([problem for listing in partial.assertion_lists for problem in listing.problems]) == lists


def test_answer_in_a_form_that_was_refused_is_not_taken_for_what_the_next_form_lacks() -> None:
    refusal = httpx.Response(200, json={"errors": [{"message": "Validation error : Unknown type 'Dashboard'"}]})
    # The whole batch throws, one half is answered, the other is refused twice, and so is the schema.
    answers = iter([failing, None, lambda: refusal, lambda: refusal])

    def answer(name: str, variables: dict[str, Any]) -> object:
        other = next(answers, None)
        return other() if other else healthy(name, variables)

    partials = ask(AnsweringServer(answer), query(DASHBOARD), query(ORDERS))

    assert (partials[ORDERS].own.is_read, reasons(partials[ORDERS])) == (True, [])
    assert (partials[DASHBOARD].exists, reasons(partials[DASHBOARD])) == (None, [Reason.NO_INCIDENTS_FIELD])


@pytest.mark.parametrize(
    ("lacking", "existence_only", "requests"),
    [
        (["incidents"], True, 1),
        (["incidents"], False, 0),
        (["exists"], True, 1),
        (["status"], True, 1),
        (["exists", "status"], True, 0),
        (["exists", "status"], False, 1),
    ],
)
def test_type_is_asked_for_what_the_server_has(lacking: list[str], requests: int, *, existence_only: bool) -> None:
    server, known = AnsweringServer(healthy), Capabilities(refused=frozenset(("Dashboard", name) for name in lacking))

    ask(server, query(DASHBOARD, existence_only=existence_only), known=known)

    assert len(server.requests) == requests


def test_request_that_is_too_slow_is_halved_and_a_single_asset_is_asked_for_again() -> None:
    asked: list[list[str]] = []

    def answer(name: str, variables: dict[str, Any]) -> object:
        asked.append(variables["urns"])
        return httpx.Response(504) if len(asked) < 3 else healthy(name, variables)

    partials = ask(AnsweringServer(answer), query(ORDERS), query(CUSTOMERS))

    assert asked == [[ORDERS, CUSTOMERS], [ORDERS], [ORDERS], [CUSTOMERS]]
    assert [reasons(partial) for partial in partials.values()] == [[], []]


def test_query_of_datahubs_guide_does_not_ask_for_the_urn() -> None:
    partial = ask(
        AnsweringServer(lambda _name, _variables: {"a0": {"incidents": NONE}}), query(ORDERS), known=MINIMAL_QUERY
    )[ORDERS]

    assert (partial.own.total, reasons(partial)) == (0, [])
