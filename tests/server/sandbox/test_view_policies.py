"""Tokens whose view policies are limited to some assets: what they see, and what they are not shown."""

from typing import Any

import pytest

from incident_gate.sandbox import Faults, Generation, Grant, Sandbox, ViewPolicy
from tests.helpers.asking import CHART, CUSTOMERS, FLOW, JOB, ORDERS, Asker

TAG = "urn:li:tag:tier1"
EU = "urn:li:dataPlatformInstance:(urn:li:dataPlatform:snowflake,eu)"
DOMAIN = "urn:li:domain:sales"
LISTED = "query q($u: String!) { dataset(urn: $u) { exists incidents(state: ACTIVE) { total incidents { urn } } } }"
LIMITED = Grant(token="limited", views=(ViewPolicy(urns=(ORDERS, CUSTOMERS)),))


def listed(ask: Asker, server: Sandbox, grant: Grant, urn: str = ORDERS) -> dict[str, Any]:
    dataset: dict[str, Any] = ask.post(server, LISTED, {"u": urn}, token=grant.token).json()["data"]["dataset"]
    return dataset


def test_one_policy_without_a_filter_is_enough(ask: Asker) -> None:
    both = Grant(token="both", views=(ViewPolicy(tags=(TAG,)), ViewPolicy()))
    with Sandbox.start(schema=Generation.CLOUD, tokens=[both]) as server:
        server.store.raise_incident(ORDERS)
        assert listed(ask, server, both)["incidents"]["total"] == 1


@pytest.mark.parametrize("generation", [Generation.G4, Generation.CLOUD])
def test_health_hides_what_the_list_hides(ask: Asker, generation: Generation) -> None:
    with Sandbox.start(schema=generation, tokens=[LIMITED]) as server:
        server.store.raise_incident(ORDERS)
        health = ask.data(server, f'{{ dataset(urn: "{ORDERS}") {{ health {{ type status }} }} }}')["dataset"]["health"]
    assert health == [{"type": "INCIDENTS", "status": "PASS" if generation.is_cloud else "FAIL"}]


@pytest.mark.parametrize(
    ("policy", "visible"),
    [
        (ViewPolicy(), True),
        (ViewPolicy(urns=(ORDERS,)), True),
        (ViewPolicy(urns=("urn:li:dataset:*",)), True),
        (ViewPolicy(urns=(CUSTOMERS,)), False),
        (ViewPolicy(types=("dataset",)), True),
        (ViewPolicy(types=("chart",)), False),
        (ViewPolicy(tags=(TAG,)), True),
        (ViewPolicy(tags=("urn:li:tag:other",)), False),
        (ViewPolicy(domains=(DOMAIN,)), True),
        (ViewPolicy(domains=("urn:li:domain:other",)), False),
        (ViewPolicy(platforms=("snowflake",)), True),
        (ViewPolicy(platforms=("hive",)), False),
        (ViewPolicy(containers=("urn:li:container:c",)), True),
        (ViewPolicy(containers=("urn:li:container:other",)), False),
        (ViewPolicy(platform_instances=(EU,)), True),
        (ViewPolicy(platform_instances=(EU + "x",)), False),
        (ViewPolicy(tags=(TAG,), platforms=("hive",)), False),
    ],
)
def test_policies_cover_assets_by_all_of_their_conditions(ask: Asker, policy: ViewPolicy, *, visible: bool) -> None:
    with Sandbox.start(tokens=[Grant(token="t", views=(policy,))]) as server:
        server.store.add_asset(
            ORDERS,
            removed=False,
            tags=[TAG],
            domains=[DOMAIN],
            containers=["urn:li:container:c"],
            platform_instance=EU,
        )
        dataset = ask.data(server, f'{{ dataset(urn: "{ORDERS}") {{ status {{ removed }} }} }}')["dataset"]
    assert dataset == {"status": {"removed": False} if visible else None}


SHELL = """query q($u: String!) { entity(urn: $u) { urn type
  ... on Dataset { name origin platform { urn name } status { removed } siblings { isPrimary }
    ownership { owners { owner { ... on CorpUser { urn } } } } properties { name }
    exists incidents { total } aspects(input: {aspectNames: ["incidentsSummary"]}) { aspectName } } } }"""


@pytest.mark.parametrize("generation", [Generation.G4, Generation.CLOUD])
@pytest.mark.parametrize("blank", [False, True])
def test_restricted_dataset_is_a_shell_whose_resolvers_still_answer(
    ask: Asker, generation: Generation, *, blank: bool
) -> None:
    elsewhere = Grant(token="t", views=(ViewPolicy(urns=(CUSTOMERS,)),))
    with Sandbox.start(schema=generation, tokens=[elsewhere], faults=Faults(blank_names=blank)) as server:
        server.store.add_asset(
            ORDERS, removed=False, title="Orders", siblings=[CUSTOMERS], owners=["urn:li:corpuser:a"]
        )
        server.store.raise_incident(ORDERS)
        entity = ask.data(server, SHELL, u=ORDERS)["entity"]
    assert entity == {
        "urn": ORDERS,
        "type": "DATASET",
        "name": "" if blank else "analytics.orders",
        "origin": "PROD",
        "platform": {"urn": "urn:li:dataPlatform:snowflake", "name": ""},
        "status": None,
        "siblings": None,
        "ownership": None,
        "properties": None,
        "exists": True,
        "incidents": {"total": 0 if generation.is_cloud else 1},
        "aspects": [{"aspectName": "incidentsSummary"}],
    }


def test_restricted_jobs_flows_and_charts_are_shells_too(ask: Asker) -> None:
    with Sandbox.start(tokens=[Grant(token="t", views=())]) as server:
        server.store.add_assets([JOB, FLOW, CHART])
        query = """query q($urns: [String!]!) { entities(urns: $urns) { type
          ... on DataJob { jobId dataFlow { urn } exists }
          ... on DataFlow { orchestrator flowId cluster exists } ... on Chart { tool chartId exists } } }"""
        entities = ask.data(server, query, urns=[JOB, FLOW, CHART])["entities"]
    assert entities == [
        {"type": "DATA_JOB", "jobId": "orders", "dataFlow": None, "exists": True},
        {"type": "DATA_FLOW", "orchestrator": "", "flowId": "nightly", "cluster": "", "exists": True},
        {"type": "CHART", "tool": "", "chartId": "sales_per_day", "exists": True},
    ]


@pytest.mark.parametrize(("generation", "refused"), [(Generation.G4, False), (Generation.CLOUD, True)])
def test_only_cloud_checks_access_in_entity_exists(ask: Asker, generation: Generation, *, refused: bool) -> None:
    with Sandbox.start(schema=generation, tokens=[Grant(token="t", views=())]) as server:
        server.store.add_asset(ORDERS)
        answer = ask(server, f'{{ entityExists(urn: "{ORDERS}") }}')
    assert answer["data"]["entityExists"] is (None if refused else True)
    assert ("errors" in answer) is refused


def test_privileges_leave_out_viewing_where_no_policy_covers_the_asset(ask: Asker) -> None:
    query = """query q($urn: String!) { getGrantedPrivileges(input: { actorUrn: "urn:li:corpuser:datahub",
      resourceSpec: { resourceType: DATASET, resourceUrn: $urn } }) { privileges } }"""
    with Sandbox.start(tokens=[Grant(token="t", edits=(ORDERS,), views=(ViewPolicy(urns=(CUSTOMERS,)),))]) as server:
        held = {
            urn: ask.data(server, query, urn=urn)["getGrantedPrivileges"]["privileges"] for urn in (ORDERS, CUSTOMERS)
        }
    viewing = ["VIEW_ENTITY_PAGE", "VIEW_ENTITY", "GET_ENTITY"]
    assert held == {ORDERS: ["EDIT_ENTITY_INCIDENTS"], CUSTOMERS: viewing}
