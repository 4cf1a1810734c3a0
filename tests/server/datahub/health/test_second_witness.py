"""Incidents that the token's policies hide from search, and what the asset's summary gives away of them."""

import pytest

from incident_gate.errors import ExitCode
from incident_gate.sandbox import Faults, Generation, Grant, Sandbox, ViewPolicy
from tests.helpers.asking import CHART, CUSTOMERS, DASHBOARD, FLOW, JOB, MODEL, ORDERS
from tests.helpers.gating import check, only, reasons, tables, verdicts

ASSETS = (ORDERS, CUSTOMERS, MODEL, FLOW, JOB, DASHBOARD, CHART)
# Least privilege as it is recommended elsewhere: on Cloud it hides every incident.
LIMITED = Grant(token="limited", views=(ViewPolicy(urns=ASSETS),))
OPEN_SOURCE = (Generation.G2, Generation.G3_EARLY, Generation.G3, Generation.G4)


@pytest.mark.parametrize("urn", ASSETS)
def test_incident_that_search_hides_blocks_on_cloud(urn: str) -> None:
    with Sandbox.start(schema="cloud", tokens=[LIMITED]) as server:
        server.store.add_assets(ASSETS)
        raised = server.store.raise_incident(urn, title="Late", priority=1)

        result = check(server, *ASSETS)

        [decision] = [d for d in result.decisions if d.blocking]
        assert decision.entry.urn.text == urn
        assert [(i.urn, i.title, i.priority) for i in decision.blocking] == [(raised, "Late", 1)]
        assert result.exit_code is ExitCode.BLOCKED


def test_incident_of_a_sibling_that_search_hides_blocks_on_cloud() -> None:
    with Sandbox.start(schema="cloud", tokens=[LIMITED]) as server:
        server.store.add_asset(ORDERS, siblings=[MODEL])
        server.store.add_asset(MODEL)
        server.store.raise_incident(MODEL, title="Late")

        assert [incident.asset for incident in only(check(server, ORDERS)).blocking] == [MODEL]


def test_resolved_incident_that_the_summary_still_names_passes(each_sandbox: Sandbox) -> None:
    store = each_sandbox.store
    store.add_asset(ORDERS)
    over = store.raise_incident(ORDERS)
    store.resolve(over)
    store.set_summary(ORDERS, active=[over])

    assert verdicts(check(each_sandbox, ORDERS)) == ["healthy"]


@pytest.mark.parametrize("generation", OPEN_SOURCE)
def test_active_incident_that_only_the_history_shows_blocks_on_open_source(generation: Generation) -> None:
    with Sandbox.start(schema=generation) as server:
        server.store.add_asset(ORDERS)
        raised = server.store.raise_incident(ORDERS, title="Late")
        # The index took it for resolved; the store knows better.
        server.store.resolve(raised)
        server.store.update_incident(raised, {"state": "ACTIVE"}, lag=60)

        assert [incident.urn for incident in only(check(server, ORDERS)).blocking] == [raised]


@pytest.mark.parametrize("generation", OPEN_SOURCE)
def test_every_page_of_the_history_is_read_for_an_incident_that_the_summary_names(generation: Generation) -> None:
    """A server of before stages refused the second page: found by the campaign."""
    with Sandbox.start(schema=generation, faults=Faults(page_limit=1)) as server:
        server.store.add_asset(ORDERS)
        over = [server.store.raise_incident(ORDERS, created_ms=time) for time in (1, 2, 3)]
        for urn in over:
            server.store.resolve(urn)
        server.store.set_summary(ORDERS, active=over)

        assert verdicts(check(server, ORDERS)) == ["healthy"]


@pytest.mark.parametrize("generation", OPEN_SOURCE)
def test_active_incident_in_a_history_that_was_read_for_another_one_blocks(generation: Generation) -> None:
    with Sandbox.start(schema=generation) as server:
        server.store.add_asset(ORDERS)
        over, active = server.store.raise_incident(ORDERS), server.store.raise_incident(ORDERS)
        server.store.resolve(over)
        # The index takes it for resolved, and the hook has not seen it.
        server.store.resolve(active)
        server.store.update_incident(active, {"state": "ACTIVE"}, lag=60, hook_lag=60)
        server.store.set_summary(ORDERS, active=[over])

        assert [incident.urn for incident in only(check(server, ORDERS)).blocking] == [active]


@pytest.mark.parametrize("generation", [*OPEN_SOURCE, Generation.CLOUD])
def test_incident_that_nothing_shows_is_unknown(generation: Generation) -> None:
    with Sandbox.start(schema=generation) as server:
        server.store.add_assets([ORDERS, CUSTOMERS])
        gone = server.store.raise_incident(ORDERS)
        server.store.delete_incident(gone)

        result = check(server, ORDERS, CUSTOMERS)

        assert verdicts(result) == ["unknown", "healthy"]
        assert reasons(result.decisions[0]) == ["unverified"]
        assert gone in result.decisions[0].problems[0].message
        assert result.exit_code is ExitCode.BLOCKED


def test_incident_that_is_listed_a_moment_later_blocks(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    raised = sandbox.store.raise_incident(ORDERS, title="Late", lag=0.2)

    result = check(sandbox, ORDERS)

    # At the second look the index may have it or not: it never passes.
    assert verdicts(result)[0] in {"unhealthy", "unknown"}
    assert raised in str(result.decisions[0])


def test_silent_summary_is_no_reason_to_pass(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    sandbox.store.raise_incident(ORDERS)
    sandbox.store.set_summary(ORDERS)

    assert verdicts(check(sandbox, ORDERS)) == ["unhealthy"]


@pytest.mark.parametrize("schema", ["g3", "cloud"])
def test_summaries_without_end_are_checked_up_to_a_limit_and_are_one_problem_each(
    schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incident_gate.datahub.health.listing.MOST_CLAIMS", 10)
    monkeypatch.setattr("incident_gate.datahub.health.witness.CHECKED", 4)
    urns = tables(2)
    with Sandbox.start(schema=schema) as server:
        for urn in urns:
            twin = urn.replace("snowflake", "dbt")
            server.store.add_asset(urn, siblings=[server.store.add_asset(twin)])
            for asset in (urn, twin):
                server.store.set_summary(asset, active=[f"urn:li:incident:{hash(asset)}-{n}" for n in range(1_010)])

        result = check(server, *urns)

        # The first look, and the second one, with five checks of the 20 incidents after each.
        operations = server.requests.operations
        assert (operations.count("incidentGateHealth"), operations.count("incidentGateWitness")) == (2, 10)
        for decision in result.decisions:
            assert [problem.reason for problem in decision.problems] == ["unverified"] * 2
            assert "its siblings names 2,010 more" in decision.problems[0].message


# Restricted assets


LATE_TYPES = (
    f"urn:li:schemaField:({ORDERS},id)",
    "urn:li:container:db",
    "urn:li:dataProduct:orders",
    "urn:li:glossaryTerm:revenue",
    "urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn,PROD)",
    "urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,churn,PROD)",
    "urn:li:mlFeature:(users,age)",
    "urn:li:mlPrimaryKey:(users,id)",
    "urn:li:mlFeatureTable:(urn:li:dataPlatform:feast,users)",
)


@pytest.mark.parametrize(
    ("urn", "generation"),
    [*((urn, Generation.G3) for urn in ASSETS), *((urn, Generation.CLOUD) for urn in (*ASSETS, *LATE_TYPES))],
)
def test_shell_of_an_asset_that_may_not_be_viewed_is_unknown(urn: str, generation: Generation) -> None:
    seen = CUSTOMERS if urn != CUSTOMERS else ORDERS
    grants = [Grant(token="few", views=(ViewPolicy(urns=(seen,)),)), Grant(token="all", views=(ViewPolicy(),))]
    with Sandbox.start(schema=generation, tokens=grants) as server:
        server.store.add_assets([seen, urn])

        result = check(server, seen, urn)

        assert verdicts(result) == ["healthy", "unknown"]
        assert [problem.message for problem in result.decisions[1].problems] == ["It is hidden from this token"]
        assert verdicts(check(server, seen, urn, datahub_token="all")) == ["healthy", "healthy"]


def test_token_that_may_view_no_input_is_refused() -> None:
    with Sandbox.start(schema="cloud", tokens=[Grant(token="none", views=())]) as server:
        server.store.add_assets([ORDERS, CUSTOMERS])

        result = check(server, ORDERS, CUSTOMERS, on_unknown="warn")

        assert result.exit_code is ExitCode.DATAHUB
        assert "DataHub refuses every input" in str(result.failure)


@pytest.mark.parametrize("faults", [Faults(lacks=("aspects",)), Faults(lacks=("aspects",), introspection=False)])
def test_server_without_aspects_is_read_all_the_same(each_sandbox: Sandbox, faults: Faults) -> None:
    each_sandbox.store.add_assets([ORDERS, CUSTOMERS])
    each_sandbox.store.raise_incident(CUSTOMERS)
    each_sandbox.faults = faults

    assert verdicts(check(each_sandbox, ORDERS, CUSTOMERS)) == ["healthy", "unhealthy"]


@pytest.mark.parametrize("faults", [Faults(blank_names=True), Faults(old_summaries=True), Faults(no_hook=True)])
def test_forms_of_shell_and_summary(faults: Faults) -> None:
    grant = Grant(token="few", views=(ViewPolicy(urns=(CUSTOMERS, MODEL)),))
    with Sandbox.start(schema="cloud", tokens=[grant], faults=faults) as server:
        server.store.add_assets([ORDERS, CUSTOMERS, MODEL])
        server.store.raise_incident(CUSTOMERS, hook_lag=None if faults.no_hook else 0.0)

        expected = "healthy" if faults.no_hook else "unhealthy"
        assert verdicts(check(server, ORDERS, CUSTOMERS, MODEL)) == ["unknown", expected, "healthy"]
