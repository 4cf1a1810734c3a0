"""Owners become mentions where Slack knows them, and names elsewhere."""

from incident_gate.datahub.graph.owners import Owner
from incident_gate.notify.people import MOST_MENTIONS, People, find_people

ANA = Owner("urn:li:corpuser:ana", "Ana", "ana@example.com")
DATA = Owner("urn:li:corpGroup:data", "Data Platform")


def test_manifest_names_members_and_groups() -> None:
    people = find_people([ANA, DATA], {ANA.urn: "U0123ABC", DATA.urn: "S0123"})

    assert people == People(("<@U0123ABC>", "<!subteam^S0123>"))


def test_address_is_looked_up_where_the_manifest_is_silent() -> None:
    asked: list[str] = []

    def look_up(email: str) -> str | None:
        asked.append(email)
        return "U9"

    bob = Owner("urn:li:corpuser:bob", "Bob", "bob@example.com")
    people = find_people([ANA, bob, DATA], {ANA.urn: "U1"}, look_up)

    assert people == People(("<@U1>", "<@U9>"), ("Data Platform",))
    assert asked == ["bob@example.com"]


def test_id_that_is_none_mentions_nobody() -> None:
    assert find_people([ANA], {ANA.urn: "U1> <!channel"}) == People(names=("Ana",))
    assert find_people([ANA], {}, lambda _: "!channel") == People(names=("Ana",))


def test_owner_of_two_assets_is_mentioned_once() -> None:
    assert find_people([ANA, ANA], {ANA.urn: "U1"}) == People(("<@U1>",))


def test_rest_is_counted() -> None:
    owners = [Owner(f"urn:li:corpuser:{n}", f"user {n}") for n in range(MOST_MENTIONS + 5)]
    asked: list[str] = []

    people = find_people([o._replace(email="x@example.com") for o in owners], {}, asked.append)

    assert len(people.names) == MOST_MENTIONS
    assert people.left_out == 5
    assert len(asked) == MOST_MENTIONS
