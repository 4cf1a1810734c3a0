"""Refusals before anything runs: validation, limits, introspection, and what each generation lacks."""

import pytest

from incident_gate.sandbox import Faults, Generation, Sandbox
from tests.helpers.asking import ORDERS, Asker

TYPE = "query q($name: String!) { __type(name: $name) { fields { name } } }"
EXISTS = "query q($urns: [String!]!) { entities(urns: $urns) { urn ... on Dataset { exists } } }"


def refusal(answer: dict[str, object]) -> tuple[str, str]:
    assert "data" not in answer
    errors = answer["errors"]
    assert isinstance(errors, list)
    return errors[0]["message"], errors[0]["extensions"]["classification"]


def test_unknown_field_fails_the_whole_request_in_graphql_javas_words(ask: Asker) -> None:
    with Sandbox.start(schema=Generation.G1) as server:
        message, classification = refusal(ask(server, EXISTS, urns=[ORDERS]))
    assert (
        message == "Validation error (FieldUndefined@[entities/exists]) : Field 'exists' in type 'Dataset' is undefined"
    )
    assert classification == "ValidationError"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "{ dataset { urn } }",
            "Validation error (MissingFieldArgument@[dataset]) : Missing field argument 'urn'",
        ),
        (
            '{ dataset(urn: "x", name: "y") { urn } }',
            "Validation error (UnknownArgument@[dataset]) : Unknown field argument 'name'",
        ),
        (
            "query q($s: Nothing) { me { corpUser { urn } } }",
            "Validation error (UnknownType) : Unknown type 'Nothing'",
        ),
        (
            '{ dataset(urn: "x") { incidents } }',
            (
                "Validation error (SubselectionRequired@[dataset/incidents]) : "
                "Subselection required for type 'EntityIncidentsResult' of field 'incidents'"
            ),
        ),
        (
            "query q { dataset(urn: $u) { ...F } } fragment F on Dataset { nothing }",
            "Validation error (UndefinedVariable@[dataset]) : Undefined variable 'u'",
        ),
    ],
)
def test_validation_errors_are_worded_as_graphql_java_does(
    ask: Asker, sandbox: Sandbox, query: str, expected: str
) -> None:
    messages = [error["message"] for error in ask(sandbox, query)["errors"]]
    assert expected in messages


def test_syntax_error(ask: Asker, sandbox: Sandbox) -> None:
    message, classification = refusal(ask(sandbox, "{ dataset("))
    assert classification == "InvalidSyntax"
    assert message.startswith("Invalid syntax")


@pytest.mark.parametrize("variables", [{}, {"urns": None}, {"urns": [1]}, {"urns": {"a": "b"}}])
def test_variables_that_do_not_fit_are_validation_errors(
    ask: Asker, sandbox: Sandbox, variables: dict[str, object]
) -> None:
    _, classification = refusal(ask(sandbox, EXISTS, **variables))
    assert classification == "ValidationError"


def test_incident_types_differ_between_generations(ask: Asker, each_sandbox: Sandbox) -> None:
    query = 'mutation r { raiseIncident(input: { type: %s customType: "c" resourceUrn: "%s" }) }'
    common = {"OPERATIONAL", "CUSTOM"}
    newer = {"FRESHNESS", "VOLUME", "FIELD", "SQL", "DATA_SCHEMA"}
    oldest = {"SLA", "DATASET_COLUMN", "DATASET_ROWS"}
    accepted = {name for name in common | newer | oldest if "data" in ask(each_sandbox, query % (name, ORDERS))}
    expected = {Generation.G1: common | oldest, Generation.G2_EARLY: common}
    assert accepted == expected.get(each_sandbox.generation, common | newer)


def test_incident_status_is_newer_than_stages(ask: Asker, each_sandbox: Sandbox) -> None:
    fields = {field["name"] for field in ask.data(each_sandbox, TYPE, name="Incident")["__type"]["fields"]}
    status = {field["name"] for field in ask.data(each_sandbox, TYPE, name="IncidentStatus")["__type"]["fields"]}
    generation = each_sandbox.generation
    assert ("stage" in status) is generation.has_stages
    assert ("incidentStatus" in fields) is (generation.has_stages and generation is not Generation.G3_EARLY)


def test_no_trace_of_versions_is_left_in_the_schema(ask: Asker, each_sandbox: Sandbox) -> None:
    names = {
        item["name"]
        for item in ask.data(each_sandbox, "{ __schema { directives { name } } }")["__schema"]["directives"]
    }
    assert not {"since", "until"} & names


def test_complexity_counts_fields_not_urns(ask: Asker, sandbox: Sandbox) -> None:
    ask.data(sandbox, EXISTS, urns=[ORDERS] * 3_000)
    fields = "urn type name status { removed } incidents { total }"
    aliased = " ".join(f'a{number}: dataset(urn: "{ORDERS}") {{ {fields} }}' for number in range(300))
    message, classification = refusal(ask(sandbox, f"{{ {aliased} }}"))
    assert message == "maximum query complexity exceeded 2400 > 2000"
    assert classification == "ExecutionAborted"
    sandbox.faults = Faults(complexity_limit=2_400)
    assert len(ask.data(sandbox, f"{{ {aliased} }}")) == 300


def test_fragments_count_where_they_are_spread(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.faults = Faults(complexity_limit=6)
    query = '{ a: dataset(urn: "%s") { ...F } b: dataset(urn: "%s") { ...F } } fragment F on Dataset { urn name %s }'
    ask.data(sandbox, query % (ORDERS, ORDERS, ""))
    message, _ = refusal(ask(sandbox, query % (ORDERS, ORDERS, "type")))
    assert message == "maximum query complexity exceeded 8 > 6"


def test_depth_limit(ask: Asker, sandbox: Sandbox) -> None:
    def nested(times: int) -> str:
        opened = "siblings { siblings { ... on Dataset { " * times
        return f'{{ dataset(urn: "{ORDERS}") {{ {opened} urn {"} } }" * times} }} }}'

    ask.data(sandbox, nested(24))
    message, classification = refusal(ask(sandbox, nested(25)))
    assert (message, classification) == ("maximum query depth exceeded 52 > 50", "ExecutionAborted")


def test_token_limit(ask: Asker, sandbox: Sandbox) -> None:
    urns = ", ".join(f'"{ORDERS}"' for _ in range(14_980))
    ask.data(sandbox, f"{{ entities(urns: [{urns}]) {{ urn }} }}")
    message, classification = refusal(ask(sandbox, f"{{ entities(urns: [{urns} {urns}]) {{ urn }} }}"))
    assert classification == "InvalidSyntax"
    assert "15,000" in message


def test_introspection_tells_the_schema_until_switched_off(ask: Asker, each_sandbox: Sandbox) -> None:
    query = '{ __schema { queryType { name } } __type(name: "Dataset") { fields { name } } }'
    data = ask.data(each_sandbox, query)
    names = {field["name"] for field in data["__type"]["fields"]}
    assert ("exists" in names) is (each_sandbox.generation is not Generation.G1)
    each_sandbox.faults = Faults(introspection=False)
    _, classification = refusal(ask(each_sandbox, query))
    assert classification == "ValidationError"
    ask.data(each_sandbox, "{ __typename me { __typename corpUser { urn } } }")


@pytest.mark.parametrize(
    ("faults", "query"),
    [
        (Faults(no_entities=True), "query q($u: String!) { entities(urns: [$u]) { urn } }"),
        (Faults(no_exists=True), "query q($u: String!) { dataset(urn: $u) { exists } }"),
        (Faults(no_entity_exists=True), "query q($u: String!) { entityExists(urn: $u) }"),
        (Faults(lacks=("Dataset.siblings",)), "query q($u: String!) { dataset(urn: $u) { siblings { isPrimary } } }"),
    ],
)
def test_fields_can_be_left_out_of_the_schema(ask: Asker, sandbox: Sandbox, faults: Faults, query: str) -> None:
    ask.data(sandbox, query, u=ORDERS)
    sandbox.faults = faults
    message, _ = refusal(ask(sandbox, query, u=ORDERS))
    assert "FieldUndefined" in message


def test_one_of_several_operations_is_executed_and_limits_apply_to_it(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.faults = Faults(complexity_limit=2)
    query = "query small { appConfig { appVersion } } query large { me { corpUser { urn } } }"
    assert "appConfig" in ask.post(sandbox, query, operation="small").json()["data"]
    assert "complexity exceeded 3 > 2" in ask.post(sandbox, query, operation="large").text
    assert "data" not in ask.post(sandbox, query, operation="three").json()


def test_failing_leaf_is_told_with_its_path(ask: Asker) -> None:
    with Sandbox.start(schema=Generation.G3) as server:
        server.store.add_asset(ORDERS)
        server.store.raise_incident(ORDERS, type="SLA")
        answer = ask(server, f'{{ dataset(urn: "{ORDERS}") {{ urn incidents {{ incidents {{ incidentType }} }} }} }}')
    assert answer["data"] == {"dataset": {"urn": ORDERS, "incidents": None}}
    assert answer["errors"][0]["path"] == ["dataset", "incidents", "incidents", 0, "incidentType"]
