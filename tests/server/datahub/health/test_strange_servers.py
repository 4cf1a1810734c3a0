"""Servers that no stand-in plays: other schemas, other words for a refusal, and no look at the schema."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from incident_gate.datahub.capabilities import INTROSPECTION as INTROSPECTION_QUERY
from incident_gate.errors import ExitCode
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS
from tests.helpers.gating import check, reasons, tables, verdicts
from tests.helpers.services import Received, Reply
from tests.helpers.stranger import MINIMAL, OLD, Stranger

HTML = {"Content-Type": "text/html"}
PAGE = b"<html>Sign in</html>"
SCHEMAS = {"minimal": MINIMAL, "of 2022": OLD}
INTROSPECTION = {
    "shown": None,
    "null": Reply.of({"data": {"__schema": None}}),
    "an error": Reply.of({"errors": [{"message": "Introspection has been disabled for this request"}]}),
    "a lie": Reply.of({"data": {"__schema": {"types": [{"name": "Query", "fields": [{"name": "entities"}]}]}}}),
    "a page": Reply(200, PAGE, HTML),
    **{f"HTTP {status}": Reply(status, PAGE, HTML) for status in (302, 401, 403, 404, 405, 503)},
}
REFUSALS: Mapping[str, Callable[[str], Reply]] = {
    "classified": Stranger.refusal,
    "in graphql-java's words": lambda fault: Reply.of(
        {"errors": [{"message": f"Validation error (x) : {fault}"}]}, 400
    ),
    "with empty data": lambda fault: Reply.of({"data": {}, "errors": [{"message": f"Validation error: {fault}"}]}),
}
UNKNOWN: Mapping[str, Callable[[str], Reply]] = {
    "graphql-js's": lambda fault: Reply.of({"errors": [{"message": fault}]}, 400),
    "other words": lambda _: Reply.of({"data": None, "errors": [{"message": "No such thing here"}]}),
    "a bad request": lambda _: Reply.of({"data": None, "errors": [{"message": "Bad Request"}]}, 400),
}
# What was executed and failed says nothing of the schema, whatever its words are.
MISLEADING = (
    "platform is undefined",
    "Unknown type of aspect",
    "Validation error (FieldUndefined@[dataset/status]) : Field 'status' in type 'Dataset' is undefined",
)


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("introspection", INTROSPECTION)
@pytest.mark.parametrize("refusal", REFUSALS)
def test_healthy_assets_pass_and_an_active_incident_blocks(schema: str, introspection: str, refusal: str) -> None:
    sdl, shown = SCHEMAS[schema], INTROSPECTION[introspection]
    with Stranger(sdl=sdl, introspection=shown, refusal=REFUSALS[refusal]) as server:
        urns = tables(2)
        server.assets |= {ORDERS, *urns}

        assert check(server.url, *urns).exit_code is ExitCode.OK

        server.add_incident(ORDERS, title="Late")

        blocked = check(server.url, ORDERS, CUSTOMERS, *urns)

        assert verdicts(blocked) == ["unhealthy", "unknown", "healthy", "healthy"]
        assert [incident.title for incident in blocked.decisions[0].blocking] == ["Late"]
        assert reasons(blocked.decisions[1]) == ["not-found"]
        assert blocked.exit_code is ExitCode.BLOCKED


def test_schema_of_real_size_is_read() -> None:
    """DataHub's own has about 150,000 values; an answer about assets may have far fewer."""
    name, query = INTROSPECTION_QUERY
    with Stranger(sdl=MINIMAL) as server:
        asked = json.dumps({"operationName": name, "query": query, "variables": {}}).encode()
        shown: Any = json.loads(server(Received("POST", "/", {}, asked)).body)
        fields = [{"name": f"f{number}"} for number in range(70)]
        shown["data"]["__schema"]["types"] += [{"name": f"T{number}", "fields": fields} for number in range(1_000)]
        server.introspection = Reply.of(shown)
        server.assets.add(ORDERS)
        server.operations.clear()

        assert check(server.url, ORDERS).exit_code is ExitCode.OK
        assert server.operations.count("incidentGateHealthOfEach") == 1  # no other form was tried


@pytest.mark.parametrize("refusal", UNKNOWN)
def test_refusal_in_unknown_words_is_a_failure(refusal: str) -> None:
    with Stranger(sdl=MINIMAL, refusal=UNKNOWN[refusal]) as server:
        server.assets.add(ORDERS)

        result = check(server.url, ORDERS)

        assert verdicts(result) == ["unknown"]
        assert result.exit_code is ExitCode.DATAHUB


def test_server_that_refuses_every_form_is_refused() -> None:
    sdl = "type Query { dataset(urn: String!): Dataset } type Dataset { urn: String! }"
    with Stranger(sdl=sdl, introspection=INTROSPECTION["null"]) as server:
        result = check(server.url, ORDERS, on_unknown="warn")

        assert "refuses the simplest query" in str(result.failure)
        assert result.exit_code is ExitCode.DATAHUB
        assert server.operations[:2] == ["incidentGateHealth", "incidentGateSchema"]
        assert server.operations[-1] == "incidentGateHealthOfEach"


@pytest.mark.parametrize("introspection", ["shown", "null", "HTTP 403"])
@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("types: [OPERATIONAL]", "healthy"),
        ("types: [SLA]", "unhealthy"),
        ("min-priority: HIGH", "healthy"),
        ("min-priority: LOW", "unhealthy"),
    ],
)
def test_rules_hold_without_a_look_at_the_schema(introspection: str, rule: str, verdict: str) -> None:
    with Stranger(sdl=OLD, introspection=INTROSPECTION[introspection]) as server:
        server.assets.add(ORDERS)
        server.add_incident(ORDERS, incidentType="SLA", priority=3)

        result = check(server.url, manifest=f'inputs:\n  - urn: "{ORDERS}"\n    {rule}\n')

        assert verdicts(result) == [verdict]


def mute(failing: str, message: str, **extensions: object) -> Stranger:
    """A server that hides its schema, on which one operation fails while it is executed for ORDERS."""

    def interrupt(name: str, variables: Mapping[str, Any]) -> Reply | None:
        places = [alias for alias, urn in variables.items() if urn == ORDERS]
        if name != failing or not places:
            return None
        error = {"message": message, "path": [places[0].replace("u", "a")], "extensions": extensions}
        return Reply.of({"data": None, "errors": [error]})

    sdl = OLD.replace("entities(urns: [String!]!): [Entity]", "")
    server = Stranger(sdl=sdl, introspection=INTROSPECTION["null"], interrupt=interrupt)
    server.assets |= {ORDERS, CUSTOMERS, MODEL}
    return server


@pytest.mark.parametrize("extensions", [{"code": 500, "classification": "DataFetchingException"}, {}])
@pytest.mark.parametrize("message", MISLEADING)
@pytest.mark.parametrize("operation", ["incidentGateHealthOfEach", "incidentGateExistence"])
def test_failed_execution_never_drops_a_question(
    operation: str, message: str, extensions: Mapping[str, object]
) -> None:
    with mute(operation, message, **extensions) as server:
        result = check(server.url, ORDERS, CUSTOMERS)

        assert verdicts(result) == ["unknown", "healthy"]
        assert result.exit_code is ExitCode.BLOCKED


@pytest.mark.parametrize("introspection", ["shown", "null", "a lie", "HTTP 403"])
def test_asset_that_fails_without_a_path_is_unknown_and_every_other_is_answered(introspection: str) -> None:
    """It looks like a refused document, except that the document without assets is executed."""
    urns = tables(300)

    def interrupt(_name: str, variables: Mapping[str, Any]) -> Reply | None:
        asked = {*variables.get("urns", ()), *map(str, variables.values())}
        return Reply.of({"data": None, "errors": [{"message": "Oops"}]}) if urns[123] in asked else None

    with Stranger(sdl=OLD, introspection=INTROSPECTION[introspection], interrupt=interrupt) as server:
        server.assets |= {*urns}
        server.add_incident(urns[124])

        result = check(server.url, *urns)

        assert verdicts(result) == ["healthy"] * 123 + ["unknown", "unhealthy"] + ["healthy"] * 175


@pytest.mark.parametrize("sdl", [MINIMAL, OLD], ids=["minimal", "of 2022"])
@pytest.mark.parametrize("introspection", ["shown", "null"])
def test_server_that_cannot_be_asked_what_exists_is_told_from_one_that_does_not_answer(
    sdl: str, introspection: str
) -> None:
    mute_sdl = sdl.replace("entityExists(urn: String!): Boolean", "")
    with Stranger(sdl=mute_sdl, introspection=INTROSPECTION[introspection]) as server:
        assert reasons(check(server.url, ORDERS).decisions[0]) == ["existence-not-supported"]
    nulls = Stranger(
        sdl=sdl,
        introspection=INTROSPECTION[introspection],
        interrupt=lambda name, _: Reply.of({"data": {"a0": None}}) if name == "incidentGateExistence" else None,
    )
    with nulls as server:
        assert reasons(check(server.url, ORDERS).decisions[0]) == ["existence-unknown"]
