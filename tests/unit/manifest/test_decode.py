"""Manifests in every form: each key reaches its field."""

from datetime import date, timedelta

import pytest

from incident_gate.incident import Priority
from incident_gate.manifest.model import (
    Dbt,
    DbtUrns,
    IncidentTemplate,
    InputEntry,
    Manifest,
    OnFailingAssertion,
    OnIncident,
    OnUnknown,
    OutputEntry,
    OutputSelector,
    Position,
    Rules,
    Search,
    Selector,
    UpstreamOf,
    Waiver,
)
from incident_gate.urn import parse_urn
from tests.helpers.asking import ORDERS
from tests.helpers.manifests import DAILY, TODAY, load


def test_a_plain_list_is_all_inputs() -> None:
    assert load(f"- {ORDERS}\n- {DAILY}\n") == Manifest(
        path="gate.yml",
        inputs=(
            InputEntry(urn=parse_urn(ORDERS), position=Position(1, 3)),
            InputEntry(urn=parse_urn(DAILY), position=Position(2, 3)),
        ),
    )


def test_outputs_alone_are_complete() -> None:
    assert load(f"outputs:\n  - {DAILY}\n") == Manifest(
        path="gate.yml", outputs=(OutputEntry(urn=parse_urn(DAILY), position=Position(2, 5)),)
    )


@pytest.mark.parametrize(
    ("key", "rules"),
    [
        ("on-incident: warn", Rules(on_incident=OnIncident.WARN)),
        ("on-unknown: warn", Rules(on_unknown=OnUnknown.WARN)),
        ("on-failing-assertion: block", Rules(on_failing_assertion=OnFailingAssertion.BLOCK)),
        ("assertion-max-age: 7d", Rules(assertion_max_age=timedelta(days=7))),
        ("types: [FRESHNESS, VOLUME]", Rules(types=frozenset({"FRESHNESS", "VOLUME"}))),
        ("min-priority: HIGH", Rules(min_priority=Priority.HIGH)),
        ("siblings: false", Rules(siblings=False)),
        ("siblings: TRUE", Rules(siblings=True)),
    ],
)
def test_a_rule_of_an_entry_or_of_all_reaches_its_field(key: str, rules: Rules) -> None:
    (entry,) = load(f"- urn: {ORDERS}\n  {key}\n").inputs
    assert entry == InputEntry(parse_urn(ORDERS), Position(1, 3), rules=rules)
    assert load(f"defaults: {{{key}}}\ninputs: ['{ORDERS}']").defaults == rules


def test_every_other_key_reaches_its_field() -> None:
    manifest = load(f"""version: 1
inputs:
  - urn: {ORDERS}
    name: Orders
    on-incident: ignore
    ignore:
      - incident: urn:li:incident:5c3e
        until: 2027-01-31
        reason: backfill DATA-123
      - assertion: urn:li:assertion:5c3f
        until: "2026-11-23"
        reason: its last day
outputs:
  - urn: {DAILY}
    name: Daily
    incident:
      type: CUSTOM
      custom-type: BUILD
      title: not built
      description: |
        two
        lines
      priority: CRITICAL
      assignees: [urn:li:corpuser:ana, urn:li:corpGroup:Data Team]
    checks: [orders_daily.*]
people:
  urn:li:corpuser:ana: U0123ABC
  "urn:li:corpGroup:Data Team": S0123ABC
""")
    known = Waiver(date(2027, 1, 31), "backfill DATA-123", Position(7, 9), incident="urn:li:incident:5c3e")
    last_day = Waiver(TODAY, "its last day", Position(10, 9), assertion="urn:li:assertion:5c3f")
    template = IncidentTemplate(
        type="CUSTOM",
        custom_type="BUILD",
        title="not built",
        description="two\nlines\n",
        priority=Priority.CRITICAL,
        assignees=("urn:li:corpuser:ana", "urn:li:corpGroup:Data Team"),
        sets_type=True,
    )
    rules = Rules(on_incident=OnIncident.IGNORE)
    assert manifest == Manifest(
        path="gate.yml",
        inputs=(InputEntry(parse_urn(ORDERS), Position(3, 5), "Orders", rules, ignore=(known, last_day)),),
        outputs=(OutputEntry(parse_urn(DAILY), Position(14, 5), "Daily", template, checks=("orders_daily.*",)),),
        people={"urn:li:corpuser:ana": "U0123ABC", "urn:li:corpGroup:Data Team": "S0123ABC"},
    )


@pytest.mark.parametrize(("kind", "label"), [(f"urn: {ORDERS}", "analytics.orders"), ("dbt: a.json", "dbt: a.json")])
def test_an_expired_waiver_is_dropped_with_a_warning(kind: str, label: str) -> None:
    manifest = load(f"""inputs:
  - {kind}
    ignore:
      - {{incident: "urn:li:incident:old", until: 2026-11-22, reason: backfill}}
      - {{incident: "urn:li:incident:new", until: 2026-11-23, reason: backfill}}
""")
    entries: list[InputEntry | Selector] = [*manifest.inputs, *manifest.selectors]
    (entry,) = entries
    assert [waiver.incident for waiver in entry.ignore] == ["urn:li:incident:new"]
    assert [waiver.incident for waiver in entry.expired] == ["urn:li:incident:old"]
    (warning,) = manifest.warnings
    assert warning.position == Position(4, 9)
    assert str(warning) == (
        f'the `ignore` rule for urn:li:incident:old on "{label}" expired on 2026-11-22; extend `until` or delete it'
    )


def test_an_asset_may_be_input_and_output() -> None:
    manifest = load(f"inputs: ['{ORDERS}']\noutputs: ['{ORDERS}']\n")
    assert manifest.inputs[0].urn == manifest.outputs[0].urn


def test_an_anchor_saves_typing() -> None:
    manifest = load(f"inputs:\n  - urn: {ORDERS}\n    types: &t [SQL]\n  - urn: {DAILY}\n    types: *t\n")
    assert [entry.rules.types for entry in manifest.inputs] == [frozenset({"SQL"})] * 2


def test_text_that_some_scripts_need_is_text() -> None:
    (entry,) = load(
        f'- urn: {ORDERS}\n  name: "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\u00a0👩\u200d💻"'
    ).inputs
    assert entry.name == "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\u00a0👩\u200d💻"


# Selectors


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
            f"upstream-of: {ORDERS} and {DAILY}",
        ),
        ("- search: {tags: urn:li:tag:tier1}", Search(tags=("urn:li:tag:tier1",)), "search: tags urn:li:tag:tier1"),
        (
            "- search: {data-products: ['urn:li:dataProduct:c'], env: [PROD, DEV], query: orders}",
            Search(data_products=("urn:li:dataProduct:c",), env=("PROD", "DEV"), query="orders"),
            "search: data-products urn:li:dataProduct:c, env PROD and DEV, query orders",
        ),
        (
            "- search: {platforms: [snowflake, 'urn:li:dataPlatform:dbt']}",
            Search(platforms=("urn:li:dataPlatform:snowflake", "urn:li:dataPlatform:dbt")),
            "search: platforms urn:li:dataPlatform:snowflake and urn:li:dataPlatform:dbt",
        ),
        ("- dbt: target/manifest.json", Dbt(("target/manifest.json",)), "dbt: target/manifest.json"),
        ("- dbt: [a.json, b.json, c.json]", Dbt(("a.json", "b.json", "c.json")), "dbt: a.json and 2 more"),
        ("- dbt: [a.json, b.json]", Dbt(("a.json", "b.json")), "dbt: a.json and b.json"),
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


@pytest.mark.parametrize(
    ("kind", "age", "seconds"),
    [("upstream-of: outputs", "90s", 90), ("search: {env: PROD}", "90m", 5400), ("dbt: a.json", "2h", 7200)],
)
def test_every_selector_takes_the_keys_of_an_entry(kind: str, age: str, seconds: int) -> None:
    selector = selected(f"""
- {kind}
  name: Sources
  on-incident: warn
  assertion-max-age: {age}
  ignore: [{{assertion: 'urn:li:assertion:1', until: 2027-01-31, reason: r}}]
  at-most: 20
  may-be-empty: true
""")
    assert selector.label == "Sources"
    assert selector.rules == Rules(on_incident=OnIncident.WARN, assertion_max_age=timedelta(seconds=seconds))
    assert [waiver.urn for waiver in selector.ignore] == ["urn:li:assertion:1"]
    assert (selector.at_most, selector.may_be_empty) == (20, True)


def test_entries_and_selectors_are_apart() -> None:
    manifest = load(f"inputs: ['{ORDERS}', {{dbt: a.json}}]\noutputs: ['{DAILY}', {{dbt: a.json}}]")
    assert [entry.urn.text for entry in manifest.inputs] == [ORDERS]
    assert [entry.urn.text for entry in manifest.outputs] == [DAILY]
    assert [selector.what for selector in manifest.selectors] == [Dbt(("a.json",))]
    assert manifest.output_selectors == (OutputSelector(Dbt(("a.json",)), Position(2, 89)),)


def test_an_output_selector_alone_is_complete_and_takes_an_incident() -> None:
    (selector,) = load("outputs: [{dbt: a.json, incident: {title: late}}]").output_selectors
    assert selector.incident.title == "late"
    assert not selector.incident.sets_type


def test_items_after_an_open_parenthesis_are_read() -> None:
    (selector,) = load("- dbt: {manifest: a, select: [f(x, tag:b]}").selectors
    assert isinstance(selector.what, Dbt)
    assert selector.what.select == ("f(x", "tag:b")
