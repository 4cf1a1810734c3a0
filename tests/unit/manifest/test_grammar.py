"""Selectors, waivers, people and checks: each key reaches its field, and every mistake has its place."""

from datetime import date, timedelta
from typing import Any

import pytest

from incident_gate.manifest.load import load_manifest
from incident_gate.manifest.model import (
    Dbt,
    DbtUrns,
    Manifest,
    ManifestError,
    OnFailingAssertion,
    OnIncident,
    OutputSelector,
    Position,
    Search,
    Selector,
    UpstreamOf,
)
from incident_gate.urn import parse_urn

TODAY = date(2026, 11, 23)
ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders,PROD)"
DAILY = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders_daily,PROD)"
WAIVER = f"- urn: {ORDERS}\n  ignore:\n  - {{until: 2027-01-31, reason: r, "


def load(text: str) -> Manifest:
    return load_manifest("gate.yml", text.encode(), TODAY)


def mistakes(text: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        load(text)
    return str(caught.value).splitlines()


def selected(text: str) -> Selector:
    (selector,) = load(text).selectors
    return selector


@pytest.mark.parametrize(
    ("text", "what", "label"),
    [
        ("- upstream-of: outputs", UpstreamOf(), "upstream-of: outputs"),
        (f"- {{upstream-of: '{ORDERS}', hops: 2}}", UpstreamOf((parse_urn(ORDERS),), 2), f"upstream-of: {ORDERS}"),
        (
            f"- upstream-of: ['{ORDERS}', '{DAILY}']\n  hops: all",
            UpstreamOf((parse_urn(ORDERS), parse_urn(DAILY)), "all"),
            f"upstream-of: {ORDERS} and 1 more",
        ),
        ("- search: {tags: urn:li:tag:tier1}", Search(tags=("urn:li:tag:tier1",)), "search: tags urn:li:tag:tier1"),
        (
            "- search: {data-products: ['urn:li:dataProduct:c'], env: [PROD, DEV], query: orders}",
            Search(data_products=("urn:li:dataProduct:c",), env=("PROD", "DEV"), query="orders"),
            "search: data-products urn:li:dataProduct:c, env PROD and 1 more, query orders",
        ),
        (
            "- search: {platforms: [snowflake, 'urn:li:dataPlatform:dbt']}",
            Search(platforms=("urn:li:dataPlatform:snowflake", "urn:li:dataPlatform:dbt")),
            "search: platforms urn:li:dataPlatform:snowflake and 1 more",
        ),
        ("- dbt: target/manifest.json", Dbt(("target/manifest.json",)), "dbt: target/manifest.json"),
        ("- dbt: [a.json, b.json]", Dbt(("a.json", "b.json")), "dbt: a.json and 1 more"),
        ("- dbt: {manifest: a.json, urns: dbt}", Dbt(("a.json",), urns=DbtUrns.DBT), "dbt: a.json"),
        ("- dbt: a.json\n  urns: warehouse", Dbt(("a.json",), urns=DbtUrns.WAREHOUSE), "dbt: a.json"),
    ],
)
def test_a_selector_reaches_its_fields(text: str, what: UpstreamOf | Search | Dbt, label: str) -> None:
    assert selected(text) == Selector(what, Position(1, 3))
    assert selected(text).label == label


def test_every_option_of_dbt_reaches_its_field() -> None:
    assert selected("""
- dbt:
    manifest: a.json
    select: [source.shop.*, 'tag:nightly']
    nodes: nodes.json
    target-platform: snowflake
    target-platform-instance: eu
    platform-instance: core
    env: DEV
    convert-urns-to-lowercase: false
    include-database-name: false
    use-identifiers: true
""").what == Dbt(
        manifest=("a.json",),
        select=("source.shop.*", "tag:nightly"),
        nodes="nodes.json",
        target_platform="snowflake",
        target_platform_instance="eu",
        platform_instance="core",
        env="DEV",
        convert_urns_to_lowercase=False,
        include_database_name=False,
        use_identifiers=True,
    )


@pytest.mark.parametrize("kind", ["upstream-of: outputs", "search: {env: PROD}", "dbt: a.json"])
def test_every_selector_takes_the_keys_of_an_entry(kind: str) -> None:
    selector = selected(f"""
- {kind}
  name: Sources
  on-incident: warn
  on-failing-assertion: block
  assertion-max-age: 90m
  ignore: [{{assertion: 'urn:li:assertion:1', until: 2027-01-31, reason: r}}]
  at-most: 20
  may-be-empty: true
""")
    assert selector.label == "Sources"
    assert selector.rules.on_incident is OnIncident.WARN
    assert selector.rules.on_failing_assertion is OnFailingAssertion.BLOCK
    assert selector.rules.assertion_max_age == timedelta(minutes=90)
    assert [waiver.urn for waiver in selector.ignore] == ["urn:li:assertion:1"]
    assert (selector.at_most, selector.may_be_empty) == (20, True)


def test_entries_and_selectors_are_apart() -> None:
    manifest = load(f"inputs: ['{ORDERS}', {{dbt: a.json}}]\noutputs: ['{DAILY}', {{dbt: a.json}}]")
    assert [entry.urn.text for entry in manifest.inputs] == [ORDERS]
    assert [entry.urn.text for entry in manifest.outputs] == [DAILY]
    assert [selector.what for selector in manifest.selectors] == [Dbt(("a.json",))]
    assert manifest.output_selectors == (OutputSelector(Dbt(("a.json",)), Position(2, 89)),)


@pytest.mark.parametrize("text", ["inputs: [{search: {env: PROD}}]", "outputs: [{dbt: a.json}]"])
def test_a_selector_alone_is_complete(text: str) -> None:
    assert not load(text).inputs
    assert not load(text).outputs


def test_an_output_selector_takes_an_incident() -> None:
    (selector,) = load("outputs: [{dbt: a.json, incident: {title: late}}]").output_selectors
    assert selector.incident.title == "late"
    assert not selector.incident.sets_type


def test_an_expired_waiver_of_a_selector_is_dropped_with_a_warning() -> None:
    manifest = load("- dbt: a.json\n  ignore: [{assertion: 'urn:li:assertion:1', until: 2026-01-31, reason: r}]")
    assert manifest.selectors[0].ignore == ()
    assert "urn:li:assertion:1" in manifest.warnings[0].message


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- upstream-of: output", '1:16: "upstream-of" is "output"; expected "outputs"'),
        ("- upstream-of: orders", '1:16: "orders" is not a URN'),
        ("- upstream-of: urn:li:chart:(a)", "1 parts between the parentheses"),
        ("- upstream-of: []", '1:16: "upstream-of" is an empty list'),
        ("- {upstream-of: outputs, hops: 3}", '"hops" is "3", which YAML reads as a number; expected 1, 2 or all'),
        (
            "- {upstream-of: outputs, hops: yes}",
            '"hops" is "yes", which YAML reads as true or false; expected 1, 2 or all',
        ),
        ("- {upstream-of: outputs, hop: 1}", 'unknown key "hop"; expected "hops"'),
        ("- upstreams-of: outputs", '1:3: unknown key "upstreams-of"; expected "upstream-of"'),
        (
            f"- urn: {ORDERS}\n  search: {{env: PROD}}",
            '2:3: "urn" and "search" in one entry; expected an entry for each',
        ),
        (f"- urn: {ORDERS}\n  at-most: 3", '2:3: unknown key "at-most"'),
        ("- search: {}", '1:11: "search" is empty; expected at least one of the keys tags, terms'),
        ("- search: orders", '1:11: "search" is "orders"; expected the keys tags'),
        ("- search: {tags: tier1}", '1:18: "tags" is "tier1"; expected urn:li:tag:<name>'),
        ("- search: {tags: []}", '1:18: "tags" is an empty list; expected at least 1'),
        ("- search: {env: prod}", '1:17: "env" is "prod"; expected "PROD"'),
        ("- search: {platforms: [a b]}", 'an item of "platforms" is "a b"; expected a platform such as snowflake'),
        ("- dbt: {select: a}", '"dbt" has no "manifest"; expected manifest: a path'),
        ("- dbt: {manifest: a, convert_urns_to_lowercase: true}", 'expected "convert-urns-to-lowercase"'),
        ("- dbt:", '"dbt" is empty; expected a path'),
        ("- {dbt: a, at-most: 0}", '"at-most" is "0", which YAML reads as a number; expected a number from 1 to 20000'),
        ("- {dbt: a, at-most: 20001}", "expected a number from 1 to 20000"),
        ("- {dbt: a, at-most: many}", '"at-most" is "many"; expected a number from 1'),
        ("- {dbt: a, may-be-empty: maybe}", '"may-be-empty" is "maybe"; expected true or false'),
        ("outputs: [{search: {env: PROD}}]", 'unknown key "search"'),
        ("outputs: [{upstream-of: outputs}]", 'unknown key "upstream-of"'),
        ("outputs: [{dbt: a, on-incident: warn}]", 'unknown key "on-incident"'),
        (f"outputs: [{{urn: '{DAILY}', checks: []}}]", '"checks" is an empty list'),
        (
            f"{WAIVER}incident: 'urn:li:incident:1', assertion: 'urn:li:assertion:1'}}",
            '"incident" and "assertion" in one',
        ),
        (f"{WAIVER}assertion: 'urn:li:incident:1'}}", '"assertion" is "urn:li:incident:1"; expected urn:li:assertion:'),
        (f"- urn: {ORDERS}\n  assertion-max-age: 24", "expected a duration such as 24h or 7d"),
        (f"- urn: {ORDERS}\n  assertion-max-age: 0h", '"0h"; expected a duration'),
        (f"- urn: {ORDERS}\n  on-failing-assertion: fail", '"fail"; expected ignore, warn or block'),
        (f"outputs: ['{DAILY}']\npeople: [ana]", '"people" is a list; expected pairs'),
        (f"outputs: ['{DAILY}']\npeople: {{ana: U0123}}", 'a key of "people" is "ana"; expected urn:li:corpuser:'),
        (f"outputs: ['{DAILY}']\npeople: {{'urn:li:corpuser:ana': '@ana'}}", '"@ana"; expected a Slack id such as'),
    ],
)
def test_each_mistake_is_explained(text: str, complaint: str) -> None:
    assert any(complaint in line for line in mistakes(text)), mistakes(text)


def test_a_mistake_in_a_selector_does_not_hide_another() -> None:
    assert len(mistakes("- dbt: {manifest: a, envs: PROD}\n  at-most: x\n- search: {tags: x}")) == 3


@pytest.mark.parametrize("value", ["90s", "90m", "24h", "7d"])
def test_a_duration_has_a_unit(value: str) -> None:
    unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[value[-1]]
    expected: dict[str, Any] = {unit: int(value[:-1])}
    (entry,) = load(f"- {{urn: '{ORDERS}', assertion-max-age: {value}}}").inputs
    assert entry.rules.assertion_max_age == timedelta(**expected)
