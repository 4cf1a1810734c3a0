"""What `search` selects, on every generation of servers."""

from collections.abc import Iterator

import pytest

from incident_gate.incident import Reason
from incident_gate.sandbox import Faults, Generation, Sandbox
from tests.helpers.selecting import Selecting, reasons, selecting, table, texts

A, B, C = (table(name) for name in "abc")
MYSQL = table("d", "mysql")
TIER1, TIER2 = "urn:li:tag:tier1", "urn:li:tag:tier2"
SALES = "urn:li:domain:sales"
OUTER, INNER = "urn:li:container:outer", "urn:li:container:inner"
SNOWFLAKE = "urn:li:dataPlatform:snowflake"
ANA = "urn:li:corpuser:ana"


@pytest.fixture
def each(each_sandbox: Sandbox) -> Iterator[Selecting]:
    """Asks each generation in turn about four assets."""
    store = each_sandbox.store
    store.add_assets([A, B, C, MYSQL])
    for urn in (A, B):
        store.add_tag(urn, TIER1)
    store.add_tag(C, TIER2)
    store.add_domain(A, SALES)
    store.add_owner(B, ANA)
    with selecting(each_sandbox) as asked:
        yield asked


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"tags": (TIER1,)}, [A, B]),
        ({"tags": (TIER1, TIER2)}, [A, B, C]),
        ({"tags": (TIER1,), "domains": (SALES,)}, [A]),
        ({"tags": (TIER1, TIER2), "owners": (ANA,)}, [B]),
        ({"platforms": ("urn:li:dataPlatform:mysql",)}, [MYSQL]),
        ({"platforms": (SNOWFLAKE,), "env": ("PROD",)}, [A, B, C]),
        ({"tags": (TIER1,), "query": "snowflake,a"}, [A]),
    ],
)
def test_conditions(each: Selecting, conditions: dict[str, object], expected: list[str]) -> None:
    choice = each.matches(**conditions)
    assert texts(choice) == expected
    assert choice.problems == ()
    assert len(each.request_logs) == 2


def test_assets_in_nested_containers(each_sandbox: Sandbox, each: Selecting) -> None:
    each_sandbox.store.add_asset(INNER)
    each_sandbox.store.add_asset(OUTER)
    each_sandbox.store.change_asset(A, containers=(INNER, OUTER))
    assert texts(each.matches(containers=(INNER,))) == [A]
    if each_sandbox.generation.schema_version >= (0, 10, 4):
        assert texts(each.matches(containers=(OUTER,), tags=(TIER1,))) == [A]


@pytest.mark.parametrize(
    "conditions",
    [
        {"tags": (TIER1, "urn:li:tag:teir2")},
        {"tags": (TIER1,), "domains": (SALES, "urn:li:domain:slaes")},
        {"tags": (TIER1,), "env": ("PROD", "QA")},
    ],
)
def test_a_mistyped_alternative_is_a_problem_although_others_match(
    each: Selecting, conditions: dict[str, object]
) -> None:
    choice = each.matches(**conditions)
    assert choice.assets
    assert reasons(choice) == {Reason.NOT_FOUND}
    [(_, urn)] = choice.problems
    assert urn in {"urn:li:tag:teir2", "urn:li:domain:slaes", ""}
    assert len(each.request_logs) == 2


def test_a_tag_that_exists_and_is_on_nothing_is_no_problem(each_sandbox: Sandbox, each: Selecting) -> None:
    each_sandbox.store.add_asset("urn:li:tag:unused")
    choice = each.matches(tags=("urn:li:tag:unused",))
    assert (choice.assets, choice.problems) == ((), ())


def test_without_entity_exists_a_value_that_matches_is_known(each_generation: Generation) -> None:
    faults = Faults(no_entity_exists=True)
    with Sandbox.start(schema=each_generation, faults=faults) as server, selecting(server) as asked:
        server.store.add_asset(A)
        server.store.add_tag(A, TIER1)
        assert texts(asked.matches(tags=(TIER1,))) == [A]
        assert asked.matches(tags=(TIER1,)).problems == ()
        assert reasons(asked.matches(tags=(TIER1, TIER2))) == {Reason.NOT_FOUND}


def test_soft_deleted_assets_are_not_selected(each_sandbox: Sandbox, each: Selecting) -> None:
    each_sandbox.store.change_asset(A, removed=True)
    choice = each.matches(tags=(TIER1,))
    assert (texts(choice), choice.problems) == ([B], ())


def test_a_server_that_hides_its_schema(each_generation: Generation) -> None:
    faults = Faults(introspection=False)
    with Sandbox.start(schema=each_generation, faults=faults) as server, selecting(server) as asked:
        server.store.add_assets([A, B])
        server.store.add_tag(A, TIER1)
        server.store.add_lineage(B, A)
        found, upstreams = asked.matches(tags=(TIER1,)), asked.upstreams(A)
    assert (texts(found), found.problems) == ([A], ())
    if each_generation is Generation.G1:
        assert reasons(upstreams) == {Reason.ERROR}
    else:
        assert (texts(upstreams), upstreams.problems) == ([B], ())
