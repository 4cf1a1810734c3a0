"""Owners of an asset: users and groups, as far as they are known."""

from incident_gate.sandbox import Generation, Grant, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS, Asker

ANA, TEAM, GONE = "urn:li:corpuser:ana", "urn:li:corpGroup:data", "urn:li:corpuser:gone"
OWNERSHIP = """query q($u: String!) { dataset(urn: $u) { ownership { owners { type
  ownershipType { urn info { name } }
  owner { __typename
    ... on CorpUser { urn username properties { displayName email title } editableProperties { slack teams } }
    ... on CorpGroup { urn name properties { displayName email slack } } } } } } }"""


def test_owners_are_users_and_groups(ask: Asker, sandbox: Sandbox) -> None:
    store = sandbox.store
    store.add_asset(
        ANA, title="Ana", profile={"email": "ana@example.com", "title": "Engineer"}, editable_profile={"slack": "@ana"}
    )
    store.add_asset(TEAM, title="Data", profile={"slack": "#data"})
    store.add_asset(ORDERS, owners=[ANA])
    store.add_owner(ORDERS, TEAM, type="urn:li:ownershipType:__system__data_steward")
    store.add_owner(ORDERS, GONE, type="urn:li:ownershipType:our-own")
    owners = ask.data(sandbox, OWNERSHIP, u=ORDERS)["dataset"]["ownership"]["owners"]
    assert [(owner["type"], owner["ownershipType"]["info"]["name"]) for owner in owners] == [
        ("TECHNICAL_OWNER", "technical_owner"),
        ("DATA_STEWARD", "data_steward"),
        ("CUSTOM_OWNERSHIP_TYPE", "our-own"),
    ]
    assert [owner["owner"] for owner in owners] == [
        {
            "__typename": "CorpUser",
            "urn": ANA,
            "username": "ana",
            "properties": {"displayName": "Ana", "email": "ana@example.com", "title": "Engineer"},
            "editableProperties": {"slack": "@ana", "teams": None},
        },
        {
            "__typename": "CorpGroup",
            "urn": TEAM,
            "name": "data",
            "properties": {"displayName": "Data", "email": None, "slack": "#data"},
        },
        {"__typename": "CorpUser", "urn": GONE, "username": "gone", "properties": None, "editableProperties": None},
    ]


def test_asset_without_owners_has_no_ownership(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    assert ask.data(sandbox, OWNERSHIP, u=ORDERS) == {"dataset": {"ownership": None}}


def test_ownership_types_are_newer_than_the_oldest_cloud(ask: Asker) -> None:
    with Sandbox.start(schema=Generation.G1) as server:
        server.store.add_asset(ORDERS, owners=[ANA])
        assert "data" not in ask(server, OWNERSHIP, u=ORDERS)
        query = f'{{ dataset(urn: "{ORDERS}") {{ ownership {{ owners {{ type }} }} }} }}'
        owners = ask.data(server, query)["dataset"]["ownership"]["owners"]
    assert owners == [{"type": "TECHNICAL_OWNER"}]


ADD = "mutation m($input: BatchAddOwnersInput!) { batchAddOwners(input: $input) }"
REMOVE = "mutation m($input: BatchRemoveOwnersInput!) { batchRemoveOwners(input: $input) }"


def test_owners_are_added_and_removed(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ANA)
    sandbox.store.add_asset(ORDERS, owners=[TEAM])
    resources = [{"resourceUrn": ORDERS}]
    steward = "urn:li:ownershipType:__system__data_steward"
    owners = [{"ownerUrn": ANA, "ownerEntityType": "CORP_USER", "ownershipTypeUrn": steward}]
    ask.data(sandbox, ADD, input={"owners": owners, "resources": resources})
    held = sandbox.store.assets([ORDERS])[ORDERS].owners
    assert [(owner.urn, owner.type) for owner in held] == [(TEAM, held[0].type), (ANA, steward)]
    ask.data(sandbox, REMOVE, input={"ownerUrns": [TEAM], "resources": resources})
    assert [owner.urn for owner in sandbox.store.assets([ORDERS])[ORDERS].owners] == [ANA]


def test_owners_of_what_does_not_exist_are_refused(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    owners = [{"ownerUrn": GONE, "ownerEntityType": "CORP_USER"}]
    for resource in (ORDERS, CUSTOMERS):
        error = ask.error(sandbox, ADD, input={"owners": owners, "resources": [{"resourceUrn": resource}]})
        assert error["extensions"]["code"] == 400
    assert sandbox.store.assets([ORDERS])[ORDERS].owners == ()


def test_owners_need_a_privilege_on_the_asset(ask: Asker) -> None:
    with Sandbox.start(tokens=[Grant(token="reader", edits=())]) as server:
        server.store.add_asset(ORDERS, owners=[TEAM])
        given = {"ownerUrns": [TEAM], "resources": [{"resourceUrn": ORDERS}]}
        assert ask.error(server, REMOVE, input=given)["extensions"]["code"] == 403
