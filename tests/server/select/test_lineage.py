"""What `upstream-of` selects, on every generation of servers."""

from collections.abc import Iterator

import pytest

from incident_gate.datahub.graph.lineage import read_upstreams
from incident_gate.incident import Reason
from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Sandbox
from incident_gate.sandbox.request import Grant, ViewPolicy
from tests.helpers.selecting import Selecting, reasons, selecting, table, texts

A, B, C, D = (table(name) for name in "abcd")
JOB = "urn:li:dataJob:(urn:li:dataFlow:(airflow,nightly,PROD),load)"


@pytest.fixture
def each(each_sandbox: Sandbox) -> Iterator[Selecting]:
    """Asks each generation in turn: A is made from B, B from C, C from D."""
    store = each_sandbox.store
    store.add_assets([A, B, C, D])
    for upstream, downstream in ((B, A), (C, B), (D, C)):
        store.add_lineage(upstream, downstream)
    with selecting(each_sandbox) as asked:
        yield asked


@pytest.mark.parametrize(("hops", "expected"), [(1, [B]), (2, [B, C]), ("all", [B, C, D])])
def test_hops(each: Selecting, hops: object, expected: list[str]) -> None:
    choice = each.upstreams(A, hops=hops)
    assert texts(choice) == expected
    assert choice.problems == ()
    # Each asset that a walk passes is asked for what it shows itself: the start together with the walk.
    assert len(each.request_logs) == (2 if hops == 1 else 3)


def test_several_starts_are_walked_in_one_request(each: Selecting) -> None:
    choice = each.upstreams(A, B, C)
    assert texts(choice) == [B, C, D]
    assert len(each.request_logs) == 2


def test_a_start_that_is_not_there_is_a_problem(each_sandbox: Sandbox, each: Selecting) -> None:
    choice = each.upstreams(table("mistyped"))
    assert reasons(choice) == {Reason.NOT_FOUND}
    assert choice.problems[0][1] == table("mistyped")
    each_sandbox.store.change_asset(A, removed=True)
    assert reasons(each.upstreams(A)) == {Reason.REMOVED}


GHOST, MODEL = table("ghost"), table("a", "dbt")


@pytest.mark.parametrize(
    ("edges", "hops", "expected"),
    [
        ([(GHOST, A)], 1, [B, GHOST]),
        ([(GHOST, B)], 1, [B]),
        ([(GHOST, B)], 2, [B, C, GHOST]),
        ([(GHOST, C)], 2, [B, C]),
        ([(GHOST, D)], "all", [B, C, D, GHOST]),
        # Behind a ghost the walk goes on, as far as the hops lead.
        ([(GHOST, A), (table("further"), GHOST)], 1, [B, GHOST]),
        ([(GHOST, A), (table("further"), GHOST)], 2, [B, C, table("further"), GHOST]),
        ([(GHOST, A), (D, GHOST)], 2, [B, C, D, GHOST]),
        # A job is no hop, whether it exists or not.
        ([(JOB, A), (GHOST, JOB)], 1, [JOB, B, GHOST]),
        ([(JOB, B), (GHOST, JOB)], 1, [B]),
        ([(A, A)], 1, [B]),
    ],
)
def test_upstreams_that_were_never_ingested_are_selected(
    sandbox: Sandbox, edges: list[tuple[str, str]], hops: object, expected: list[str]
) -> None:
    sandbox.store.add_assets([A, B, C, D])
    for upstream, downstream in ((B, A), (C, B), (D, C), *edges):
        sandbox.store.add_lineage(upstream, downstream)
    for faults in (Faults(), Faults(skips_jobs=True), Faults(search_page_limit=1), Faults(introspection=False)):
        sandbox.faults = faults
        with selecting(sandbox) as asked:
            choice = asked.upstreams(A, hops=hops)
        assert (texts(choice), choice.problems) == (expected, ())


def test_a_ghost_behind_a_job_that_exists_is_selected(each_sandbox: Sandbox, each: Selecting) -> None:
    each_sandbox.store.add_asset(JOB)
    each_sandbox.store.add_lineage(JOB, A)
    each_sandbox.store.add_lineage(GHOST, JOB)
    for faults in (Faults(), Faults(skips_jobs=True)):
        each_sandbox.faults = faults
        assert GHOST in texts(each.upstreams(A))


def test_a_sibling_of_the_start_may_have_the_ghost(each_sandbox: Sandbox, each: Selecting) -> None:
    # The dbt project is ingested without its warehouse: every edge between the siblings is shown, and is no upstream.
    each_sandbox.store.add_asset(MODEL, siblings=[A], upstreams=[GHOST])
    each_sandbox.store.add_lineage(MODEL, A)
    choice = each.upstreams(A)
    assert texts(choice) == [B, GHOST]
    assert choice.problems == ()
    assert len(each.request_logs) == 2


@pytest.mark.parametrize("hops", [1, "all"])
def test_siblings_are_no_reason_to_miss_anything(each_sandbox: Sandbox, each: Selecting, hops: object) -> None:
    store = each_sandbox.store
    models = {urn: urn.replace("snowflake", "dbt") for urn in (A, B, C, D)}
    for urn, model in models.items():
        store.add_asset(model, siblings=[urn])
        store.add_lineage(model, urn)
    for upstream, downstream in ((B, A), (C, B), (D, C)):
        store.add_lineage(models[upstream], models[downstream])
    choice = each.upstreams(A, hops=hops)
    assert choice.problems == ()
    assert {B, models[B]} <= set(texts(choice))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(kind=FaultKind.NULL_ELEMENT, urn=A), Reason.HIDDEN),
        (Fault(kind=FaultKind.NULL_ELEMENT, urn=MODEL), Reason.HIDDEN),
        (Fault(kind=FaultKind.LOST_RESULT, urn=GHOST), Reason.INCOMPLETE),  # of the asset's own relations
        (Fault(kind=FaultKind.LOST_RESULT, urn=C), Reason.INCOMPLETE),  # of the walk
        (Fault(kind=FaultKind.GRAPHQL_ERROR, operation="incidentGateLineage"), Reason.ERROR),
        (Fault(kind=FaultKind.STATUS, status=500, operation="incidentGateSchema|incidentGateLookup"), Reason.ERROR),
    ],
)
def test_what_a_server_keeps_back_is_a_problem(
    each_sandbox: Sandbox, each: Selecting, fault: Fault, reason: Reason
) -> None:
    each_sandbox.store.add_asset(MODEL, siblings=[A])
    for upstream in (C, GHOST):
        each_sandbox.store.add_lineage(upstream, A)
    assert each.upstreams(A).problems == ()
    each_sandbox.faults = Faults(rules=(fault,))
    assert reason in reasons(each.upstreams(A))


def test_a_walk_that_ends_because_of_what_has_no_incidents_is_a_problem(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("datahub.graph.lists", "select.server"):
        monkeypatch.setattr(f"incident_gate.{module}.PAGE", 200)
    owners = [f"urn:li:corpuser:u{number}" for number in range(260)]
    sandbox.store.add_assets([A, B, C, *owners])
    for upstream, downstream in ((B, A), (C, B), (GHOST, B), *((owner, A) for owner in owners)):
        sandbox.store.add_lineage(upstream, downstream)
    with selecting(sandbox) as asked:
        assert reasons(asked.upstreams(A, hops=2, at_most=50)) == {Reason.TOO_MANY}
        assert GHOST in texts(asked.upstreams(A, hops=2, at_most=100))


def test_siblings_of_a_start_are_bounded(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(A, siblings=[table(f"sibling{number}") for number in range(300)])
    with selecting(sandbox) as asked:
        assert Reason.INCOMPLETE in reasons(asked.upstreams(A))
        assert len(asked.request_logs) < 5
        [upstreams] = read_upstreams(asked.client, None, {B: [table(f"sibling{n}") for n in range(5)]}, 1, most=3)
    assert [problem.message for problem in upstreams.problems] == ["Its lineage takes more than 3 walks"]


def test_upstreams_that_were_removed_are_selected(each_sandbox: Sandbox, each: Selecting) -> None:
    each_sandbox.store.change_asset(B, removed=True)
    assert texts(each.upstreams(A)) == [B]


@pytest.mark.parametrize("generation", [item for item in Generation if item.schema_version >= (0, 13, 3)])
def test_servers_that_leave_out_what_was_removed_are_asked_not_to(generation: Generation) -> None:
    with Sandbox.start(schema=generation) as server, selecting(server) as asked:
        server.store.add_assets([A, B])
        asked.upstreams(A)
        assert "includeSoftDeleted: true" in server.requests[-1].query


@pytest.mark.parametrize("hops", [1, "all"])
def test_a_job_between_two_datasets_is_no_hop(each_sandbox: Sandbox, each: Selecting, hops: object) -> None:
    store = each_sandbox.store
    start, source = table("built"), table("source")
    store.add_assets([start, source, JOB])
    store.add_lineage(JOB, start)
    store.add_lineage(source, JOB)
    choice = each.upstreams(start, hops=hops)
    assert source in texts(choice)
    assert choice.problems == ()
    # Servers of 2022 know no incidents of jobs.
    old = each_sandbox.generation is Generation.G1
    assert (JOB in texts(choice), choice.left_out) == ((False, 1) if old else (True, 0))


def test_behind_a_job_the_hops_go_on(each_sandbox: Sandbox, each: Selecting) -> None:
    store = each_sandbox.store
    start = table("built")
    store.add_assets([start, JOB])
    store.add_lineage(JOB, start)
    store.add_lineage(A, JOB)
    choice = each.upstreams(start, hops=2)
    assert [urn for urn in texts(choice) if urn != JOB] == [A, B]


def test_a_job_that_takes_no_hop_on_the_server_is_walked_once() -> None:
    with Sandbox.start(schema=Generation.G4, faults=Faults(skips_jobs=True)) as server, selecting(server) as asked:
        server.store.add_assets([A, B, C, JOB])
        for upstream, downstream in ((JOB, A), (B, JOB), (C, B)):
            server.store.add_lineage(upstream, downstream)
        assert texts(asked.upstreams(A)) == [JOB, B]
        assert [request.query.count("AcrossLineage(") for request in server.requests[1:]] == [1, 0]


def test_entities_that_cannot_have_incidents_are_left_out_and_counted(each_sandbox: Sandbox, each: Selecting) -> None:
    for urn in ("urn:li:corpGroup:team", "urn:li:corpuser:ana"):
        each_sandbox.store.add_lineage(urn, A)
    choice = each.upstreams(A)
    assert texts(choice) == [B]
    assert choice.left_out == 2


@pytest.mark.parametrize("introspection", [True, False])
def test_a_sibling_on_the_way_may_carry_the_edge(
    each_sandbox: Sandbox, each: Selecting, *, introspection: bool
) -> None:
    model, middle, start = table("model", "dbt"), table("model"), table("start")
    store = each_sandbox.store
    store.add_asset(start, upstreams=[middle])
    store.add_asset(middle)
    store.add_asset(model, siblings=[middle], upstreams=[A])
    each_sandbox.faults = Faults(introspection=introspection)
    near, far = each.upstreams(start, hops=2), each.upstreams(start, hops="all")
    if not introspection and each_sandbox.generation is Generation.G1:
        assert all(choice.problems for choice in (near, far))  # its siblings cannot be asked for
        return
    assert A in texts(near)
    assert {A, B, C, D} <= set(texts(far))
    assert (near.problems, far.problems) == ((), ())


# Before 0.13.3 no server said so.
SAYING_PARTIAL = [generation for generation in Generation if generation.schema_version >= (0, 13, 3)]


@pytest.mark.parametrize("introspection", [True, False])
@pytest.mark.parametrize("generation", SAYING_PARTIAL)
def test_a_partial_walk_is_a_problem(generation: Generation, *, introspection: bool) -> None:
    faults = Faults(walk_limit=2, introspection=introspection)
    with Sandbox.start(schema=generation, faults=faults) as server, selecting(server) as asked:
        server.store.add_assets([A, B, C, D])
        for upstream, downstream in ((B, A), (C, B), (D, B)):
            server.store.add_lineage(upstream, downstream)
        choice = asked.upstreams(A, hops="all")
    # Its own relations show the one that the walk left out.
    assert texts(choice) == [B, C, D]
    assert reasons(choice) == {Reason.INCOMPLETE}


def test_pages_that_the_server_cuts_are_all_read(each_sandbox: Sandbox, each: Selecting) -> None:
    each_sandbox.faults = Faults(search_page_limit=2)
    many = [table(f"many{number}") for number in range(5)]
    each_sandbox.store.add_assets(many)
    for urn in many:
        each_sandbox.store.add_lineage(urn, A)
    choice = each.upstreams(A)
    assert texts(choice) == [B, *many]
    assert choice.problems == ()


def test_the_cache_of_the_server_is_not_used(each_sandbox: Sandbox, each: Selecting) -> None:
    assert texts(each.upstreams(A)) == [B]
    each_sandbox.store.add_lineage(C, A)
    if each_sandbox.generation is not Generation.G1:  # it has no such flag
        assert texts(each.upstreams(A)) == [B, C]


@pytest.mark.parametrize("generation", SAYING_PARTIAL)
def test_what_the_token_may_not_see_is_a_problem(generation: Generation) -> None:
    grant = Grant(token="least", views=(ViewPolicy(urns=(A, C)),))
    with Sandbox.start(schema=generation, tokens=[grant]) as server, selecting(server) as asked:
        server.store.add_assets([A, B, C])
        server.store.add_lineage(B, A)
        server.store.add_lineage(C, A)
        choice = asked.upstreams(A)
    assert texts(choice) == [C]
    assert reasons(choice) == {Reason.HIDDEN}


def test_a_restricted_start_is_a_problem(each_generation: Generation) -> None:
    grant = Grant(token="least", views=(ViewPolicy(urns=(B,)),))
    with Sandbox.start(schema=each_generation, tokens=[grant]) as server:
        server.store.add_assets([A, B])
        with selecting(server, "least") as asked:
            choice = asked.upstreams(A)
    assert texts(choice) == []
    assert Reason.HIDDEN in reasons(choice)


@pytest.mark.parametrize("of_dbt", [True, False])
def test_either_urn_of_a_dbt_node_may_hide_a_sibling(sandbox: Sandbox, *, of_dbt: bool) -> None:
    hidden = table("hidden")
    sandbox.store.add_assets([A, B, MODEL])
    sandbox.store.add_asset(hidden, siblings=[MODEL if of_dbt else A])
    sandbox.store.add_lineage(B, A)
    sandbox.faults = Faults(rules=(Fault(kind=FaultKind.NULL_ELEMENT, urn=hidden),))
    with selecting(sandbox) as asked:
        choice = asked.upstreams((A, MODEL))
    assert texts(choice) == [B]
    assert reasons(choice) == {Reason.HIDDEN}


@pytest.mark.parametrize("of_dbt", [True, False])
def test_one_urn_of_a_dbt_node_is_enough(sandbox: Sandbox, *, of_dbt: bool) -> None:
    sandbox.store.add_assets([B, known := MODEL if of_dbt else A])
    sandbox.store.add_lineage(B, known)
    with selecting(sandbox) as asked:
        choice = asked.upstreams((A, MODEL))
    assert (texts(choice), choice.problems) == ([B], ())


def test_a_server_silent_about_existence_that_knows_no_upstreams_is_a_problem() -> None:
    with Sandbox.start(schema=Generation.G1, faults=Faults(no_entity_exists=True)) as server:
        server.store.add_assets([A, B])
        server.store.add_lineage(B, A)
        with selecting(server) as asked:
            assert asked.upstreams(A).problems == ()
            assert reasons(asked.upstreams(B)) == {Reason.EXISTENCE_UNKNOWN}
