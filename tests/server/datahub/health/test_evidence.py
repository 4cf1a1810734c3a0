"""Nothing is healthy while a question that its rule needs has no answer, whatever form a query had."""

from collections.abc import Collection, Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.datahub.capabilities import MINIMAL_QUERY, Capabilities, fields_of, introspect
from incident_gate.datahub.client import Client
from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.reader import Reader, ServerState
from incident_gate.datahub.parallel import Deadline
from incident_gate.gate.policy import Rule, Verdict, decide
from incident_gate.incident import Health, Question, questions
from incident_gate.manifest.model import InputEntry, OnFailingAssertion, Position
from incident_gate.sandbox import Generation, Sandbox
from incident_gate.urn import EntityType, parse_urn
from tests.helpers.answering import AnsweringServer
from tests.helpers.asking import DASHBOARD, JOB, MODEL, ORDERS

NONE = {"total": 0, "count": 0, "incidents": [], "assertions": []}
SHOWN = {"platform": {"name": "s3"}, "tool": "looker", "dataFlow": {"orchestrator": "airflow"}}
# The field of an answer without which a question is open, and what it may be instead.
FIELDS = {
    Question.EXISTS: "exists",
    Question.NOT_REMOVED: "status",
    Question.INCIDENTS: "incidents",
    Question.SIBLINGS: "siblings",
    Question.ASSERTIONS: "assertions",
}
LEAVES_OPEN: st.SearchStrategy[Any] = st.sampled_from([..., "x", [], {"total": 0}, {"siblings": [None]}, {}])


@pytest.fixture(scope="module")
def schemas() -> Mapping[str, Capabilities]:
    """What is known of each generation of server that shows its schema."""
    found = {}
    for generation in Generation:
        with Sandbox.start(schema=generation) as server, httpx.Client() as http:
            shown = introspect(_client(http, server))
            assert shown
            found[generation.value] = shown
    return found


def _client(http: httpx.Client, server: Sandbox) -> Client:
    http.headers["authorization"] = f"Bearer {server.token}"
    return Client(http, f"{server.url}/api/graphql", Deadline.after(20))


RULES = st.builds(
    Rule,
    siblings=st.booleans(),
    on_failing_assertion=st.sampled_from([OnFailingAssertion.IGNORE, OnFailingAssertion.BLOCK]),
)
ENTRY = InputEntry(urn=parse_urn(ORDERS), position=Position(1, 1))


@given(answered=st.frozensets(st.sampled_from(Question)), rule=RULES)
def test_asset_is_healthy_only_by_every_answer_that_its_rule_needs(answered: frozenset[Question], rule: Rule) -> None:
    decision = decide(ENTRY, Health(urn=ORDERS, answered=answered), rule, is_ours=lambda _: False)

    needed = questions(siblings=rule.siblings, assertions=rule.counts_assertions)
    assert (decision.verdict is Verdict.HEALTHY) is (needed <= answered)


def verdict_of(query: HealthQuery, rule: Rule, form: Capabilities, answer: Mapping[str, Any]) -> Verdict:
    """Read one asset in one form, with this answer to every query but `entityExists`."""
    server = AnsweringServer(
        lambda name, _: {"a0": answer.get("exists")} if name == "incidentGateExistence" else both(answer)
    )
    with server.client() as client:
        reader = Reader(client, server=ServerState(client, form), sleep=server.sleep)
        health = reader.read_batch([query]).healths[query]
    return decide(ENTRY, health, rule, is_ours=lambda _: False).verdict


def both(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"entities": [answer], "a0": answer}


def whole(urn: str, **changes: Any) -> dict[str, Any]:
    lists = {"incidents": NONE, "assertions": NONE, "aspects": None}
    sibling = {"urn": MODEL, **SHOWN, **lists}
    return {
        "urn": urn,
        "exists": True,
        "status": None,
        "siblings": {"siblings": [sibling]},
        **SHOWN,
        **lists,
        **changes,
    }


def refusing(schema: Capabilities, urn: str, unasked: Collection[Question]) -> Capabilities:
    """A server that has refused fields which its schema has: they are not asked for, and may be there."""
    kind = parse_urn(urn).entity_type.value
    return schema._replace(refused=frozenset(field for question in unasked for field in fields_of(kind, question)))


EVERYTHING = Rule(on_failing_assertion=OnFailingAssertion.BLOCK)


@pytest.mark.parametrize("urn", [ORDERS, DASHBOARD, JOB])
@pytest.mark.parametrize("unasked", [None, *Question])
def test_one_question_that_is_not_asked_leaves_the_asset_unknown(
    schemas: Mapping[str, Capabilities], unasked: Question | None, urn: str
) -> None:
    query = HealthQuery(parse_urn(urn), assertions=True)
    for generation in (Generation.G2, Generation.G4, Generation.CLOUD):
        form = refusing(schemas[generation.value], urn, {unasked} & query.questions if unasked else ())

        # `entityExists` answers, too.
        is_healthy = unasked in {None, Question.EXISTS} or unasked not in query.questions
        assert (verdict_of(query, EVERYTHING, form, whole(urn)) is Verdict.HEALTHY) is is_healthy


@given(data=st.data(), urn=st.sampled_from([ORDERS, DASHBOARD, JOB]), rule=RULES)
def test_question_that_no_answer_has_leaves_the_asset_unknown(
    schemas: Mapping[str, Capabilities], data: st.DataObject, urn: str, rule: Rule
) -> None:
    query = HealthQuery(parse_urn(urn), siblings=rule.siblings, assertions=rule.counts_assertions)
    schema = schemas[data.draw(st.sampled_from([*schemas]))]
    unasked = data.draw(st.frozensets(st.sampled_from(sorted(query.questions - {Question.EXISTS}))))
    forms = [refusing(schema, urn, unasked), Capabilities(), schema, MINIMAL_QUERY]
    form = data.draw(st.sampled_from([*forms, schema._replace(with_assertions=False)]))
    left_open = data.draw(st.frozensets(st.sampled_from(sorted(query.questions & FIELDS.keys()))))
    answer = whole(urn, **{FIELDS[question]: data.draw(LEAVES_OPEN) for question in left_open})
    answer = {name: value for name, value in answer.items() if value is not ...}
    if is_hidden := data.draw(st.booleans()):
        answer = {name: value for name, value in answer.items() if name not in {*SHOWN, "status", "siblings"}}

    kind = query.urn.entity_type.value
    asked = {question for question in query.questions if form.asks(kind, question)} | {Question.EXISTS}
    open_questions = (left_open & asked) | (query.questions - asked)
    # What a schema that is shown lacks is not there.
    open_questions -= {question for question in open_questions - asked if form.lacks(kind, question)}
    if is_hidden or open_questions:
        assert verdict_of(query, rule, form, answer) is not Verdict.HEALTHY, open_questions


@pytest.mark.parametrize("kind", EntityType)
def test_what_nothing_was_read_of_is_unknown(kind: EntityType) -> None:
    health = Health(urn=f"urn:li:{kind}:x")

    assert decide(ENTRY, health, Rule(), is_ours=lambda _: False).verdict is Verdict.UNKNOWN
