"""Servers that no stand-in plays: other schemas, other words for a refusal, and no look at the schema."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from incident_gate.errors import ExitCode
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS
from tests.helpers.gating import check, only, reasons, tables, verdicts
from tests.helpers.stranger import MINIMAL, NAMELESS, OLD, Reply, Stranger

PAGE = "<html>Sign in</html>"
SCHEMAS = {"minimal": MINIMAL, "without urn": NAMELESS, "of 2022": OLD}
INTROSPECTION = {
    "shown": None,
    "null": Reply(200, {"data": {"__schema": None}}),
    "an error": Reply(200, {"errors": [{"message": "Introspection has been disabled for this request"}]}),
    "a lie": Reply(200, {"data": {"__schema": {"types": [{"name": "Query", "fields": [{"name": "entities"}]}]}}}),
    "a page": Reply(200, PAGE),
    **{f"HTTP {status}": Reply(status, PAGE) for status in (302, 401, 403, 404, 405, 503)},
}
REFUSALS: Mapping[str, Callable[[str], Reply]] = {
    "graphql-java's": Stranger.refusal,
    "graphql-js's": lambda fault: Reply(400, {"errors": [{"message": fault}]}),
    "unknown words": lambda _: Reply(200, {"data": None, "errors": [{"message": "No such thing here"}]}),
    "a bad request": lambda _: Reply(400, {"data": None, "errors": [{"message": "Bad Request"}]}),
    "empty data": lambda _: Reply(200, {"data": {}, "errors": [{"message": "Rejected", "extensions": {"code": 400}}]}),
}
PLAIN = {"graphql-java's", "graphql-js's"}
# What was executed and failed says nothing of the schema, whatever its words are.
MISLEADING = (
    "platform is undefined",
    "Unknown type of aspect",
    "Validation error (FieldUndefined@[dataset/status]) : Field 'status' in type 'Dataset' is undefined",
)


def stranger(schema: str, introspection: str, refusal: str) -> Stranger:
    return Stranger(sdl=SCHEMAS[schema], introspection=INTROSPECTION[introspection], refusal=REFUSALS[refusal])


CASES = [
    (schema, introspection, refusal)
    for schema in SCHEMAS
    for introspection in INTROSPECTION
    for refusal in REFUSALS
    # Who neither has a field nor shows the schema, and refuses in words that could mean anything, leaves it open.
    if schema == "of 2022" or introspection == "shown" or refusal in PLAIN
]


@pytest.mark.parametrize(("schema", "introspection", "refusal"), CASES)
def test_healthy_assets_pass_and_an_active_incident_blocks(schema: str, introspection: str, refusal: str) -> None:
    with stranger(schema, introspection, refusal) as server:
        urns = tables(2)
        server.assets |= {ORDERS, *urns}

        assert check(server.url, *urns).exit_code is ExitCode.OK

        server.add_incident(ORDERS, title="Late")

        blocked = check(server.url, ORDERS, CUSTOMERS, *urns)

        assert verdicts(blocked) == ["unhealthy", "unknown", "healthy", "healthy"]
        assert [incident.title for incident in blocked.report.decisions[0].blocking] == ["Late"]
        assert reasons(blocked.report.decisions[1]) == ["not-found"]
        assert blocked.exit_code is ExitCode.BLOCKED


@pytest.mark.parametrize("schema", ["minimal", "without urn"])
@pytest.mark.parametrize("refusal", sorted(REFUSALS.keys() - PLAIN))
def test_what_a_field_that_may_be_missing_would_say_is_unknown(schema: str, refusal: str) -> None:
    with stranger(schema, "null", refusal) as server:
        server.assets |= {ORDERS, CUSTOMERS}
        server.add_incident(ORDERS)

        assert verdicts(check(server.url, ORDERS, CUSTOMERS)) == ["unhealthy", "unknown"]


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
    """A server without a schema to look at, on which one operation fails while it is executed for ORDERS."""

    def interrupt(name: str, variables: Mapping[str, Any]) -> Reply | None:
        places = [alias for alias, urn in variables.items() if urn == ORDERS]
        if name != failing or not places:
            return None
        error = {"message": message, "path": [places[0].replace("u", "a")], "extensions": extensions}
        return Reply(200, {"data": None, "errors": [error]})

    server = Stranger(sdl=OLD, introspection=INTROSPECTION["null"], interrupt=interrupt)
    server.assets |= {ORDERS, CUSTOMERS, MODEL}
    return server


@pytest.mark.parametrize("extensions", [{"code": 500, "classification": "DataFetchingException"}, {}])
@pytest.mark.parametrize("message", MISLEADING)
@pytest.mark.parametrize(
    "operation", ["incidentGateHealthOfEach", "incidentGateRemoval", "incidentGateSiblings", "incidentGateExistence"]
)
def test_failed_execution_never_drops_a_question(
    operation: str, message: str, extensions: Mapping[str, object]
) -> None:
    with mute(operation, message, **extensions) as server:
        server.siblings[ORDERS] = MODEL
        server.add_incident(MODEL)
        server.removed.add(ORDERS)

        result = check(server.url, ORDERS, CUSTOMERS)

        assert result.report.decisions[0].verdict.value != "healthy"
        assert verdicts(result)[1] == "healthy"
        assert result.exit_code is ExitCode.BLOCKED


@pytest.mark.parametrize("message", MISLEADING)
def test_incident_of_a_sibling_blocks_where_removal_fails(message: str) -> None:
    with mute("incidentGateRemoval", message) as server:
        server.siblings[ORDERS] = MODEL
        server.add_incident(MODEL)

        assert verdicts(check(server.url, ORDERS)) == ["unhealthy"]


@pytest.mark.parametrize("message", MISLEADING)
def test_soft_deletion_blocks_where_the_siblings_fail(message: str) -> None:
    with mute("incidentGateSiblings", message) as server:
        server.removed.add(ORDERS)

        assert "removed" in reasons(only(check(server.url, ORDERS)))


@pytest.mark.parametrize("introspection", ["shown", "null", "a lie", "HTTP 403"])
def test_asset_that_fails_without_a_path_is_unknown_and_every_other_is_answered(introspection: str) -> None:
    """Nothing tells it from a refused document but that the document without assets is executed."""
    urns = tables(300)

    def interrupt(_name: str, variables: Mapping[str, Any]) -> Reply | None:
        asked = {*variables.get("urns", ()), *map(str, variables.values())}
        return Reply(200, {"data": None, "errors": [{"message": "Oops"}]}) if urns[123] in asked else None

    with Stranger(sdl=OLD, introspection=INTROSPECTION[introspection], interrupt=interrupt) as server:
        server.assets |= {*urns}
        server.add_incident(urns[124])

        result = check(server.url, *urns)

        assert verdicts(result) == ["healthy"] * 123 + ["unknown", "unhealthy"] + ["healthy"] * 175
