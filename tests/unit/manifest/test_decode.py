"""Manifests in every form, and every mistake in one, with its place."""

from datetime import date, timedelta
from urllib.parse import quote

import pytest

from incident_gate.errors import ExitCode
from incident_gate.incident import Priority
from incident_gate.manifest.load import load_manifest
from incident_gate.manifest.model import (
    Dbt,
    IncidentTemplate,
    InputEntry,
    Manifest,
    ManifestError,
    OnFailingAssertion,
    OnIncident,
    OnUnknown,
    OutputEntry,
    Position,
    Rules,
    Waiver,
)
from incident_gate.urn import parse_urn

TODAY = date(2026, 11, 23)
ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders,PROD)"
DAILY = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders_daily,PROD)"


def load(text: str) -> Manifest:
    return load_manifest("gate.yml", text.encode(), TODAY)


def mistakes(text: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        load(text)
    return str(caught.value).splitlines()


def test_a_plain_list_is_all_inputs() -> None:
    assert load(f"- {ORDERS}\n- {DAILY}\n")._replace(text="") == Manifest(
        path="gate.yml",
        inputs=(
            InputEntry(urn=parse_urn(ORDERS), position=Position(1, 3)),
            InputEntry(urn=parse_urn(DAILY), position=Position(2, 3)),
        ),
    )


def test_a_plain_list_may_hold_mappings() -> None:
    (entry,) = load(f"- urn: {ORDERS}\n  name: Orders\n").inputs
    assert (entry.label, entry.position) == ("Orders", Position(1, 3))


def test_outputs_alone_are_complete() -> None:
    assert load(f"outputs:\n  - {DAILY}\n")._replace(text="") == Manifest(
        path="gate.yml", outputs=(OutputEntry(urn=parse_urn(DAILY), position=Position(2, 5)),)
    )


def test_every_key_reaches_its_field() -> None:
    manifest = load(f"""version: 1
defaults: {{on-incident: warn, on-unknown: block, on-failing-assertion: warn, assertion-max-age: 7d,
  types: [SQL], min-priority: LOW, siblings: false}}
inputs:
  - urn: {ORDERS}
    name: Orders
    on-incident: ignore
    on-unknown: warn
    on-failing-assertion: block
    assertion-max-age: 24h
    types: [FRESHNESS, VOLUME]
    min-priority: HIGH
    siblings: true
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
    assert manifest._replace(text="") == Manifest(
        path="gate.yml",
        defaults=Rules(
            on_incident=OnIncident.WARN,
            on_unknown=OnUnknown.BLOCK,
            on_failing_assertion=OnFailingAssertion.WARN,
            assertion_max_age=timedelta(days=7),
            types=frozenset({"SQL"}),
            min_priority=Priority.LOW,
            siblings=False,
        ),
        inputs=(
            InputEntry(
                urn=parse_urn(ORDERS),
                position=Position(5, 5),
                name="Orders",
                rules=Rules(
                    on_incident=OnIncident.IGNORE,
                    on_unknown=OnUnknown.WARN,
                    on_failing_assertion=OnFailingAssertion.BLOCK,
                    assertion_max_age=timedelta(hours=24),
                    types=frozenset({"FRESHNESS", "VOLUME"}),
                    min_priority=Priority.HIGH,
                    siblings=True,
                ),
                ignore=(
                    Waiver(
                        incident="urn:li:incident:5c3e",
                        until=date(2027, 1, 31),
                        reason="backfill DATA-123",
                        position=Position(15, 9),
                    ),
                    Waiver(
                        assertion="urn:li:assertion:5c3f",
                        until=TODAY,
                        reason="its last day",
                        position=Position(18, 9),
                    ),
                ),
            ),
        ),
        outputs=(
            OutputEntry(
                urn=parse_urn(DAILY),
                position=Position(22, 5),
                name="Daily",
                incident=IncidentTemplate(
                    type="CUSTOM",
                    custom_type="BUILD",
                    title="not built",
                    description="two\nlines\n",
                    priority=Priority.CRITICAL,
                    assignees=("urn:li:corpuser:ana", "urn:li:corpGroup:Data Team"),
                    sets_type=True,
                ),
                checks=("orders_daily.*",),
            ),
        ),
        people={"urn:li:corpuser:ana": "U0123ABC", "urn:li:corpGroup:Data Team": "S0123ABC"},
    )


def test_an_expired_waiver_is_dropped_with_a_warning() -> None:
    manifest = load(f"""inputs:
  - urn: {ORDERS}
    ignore:
      - {{incident: "urn:li:incident:old", until: 2026-11-22, reason: backfill}}
      - {{incident: "urn:li:incident:new", until: 2026-11-23, reason: backfill}}
""")
    assert [waiver.incident for waiver in manifest.inputs[0].ignore] == ["urn:li:incident:new"]
    assert [waiver.incident for waiver in manifest.inputs[0].expired] == ["urn:li:incident:old"]
    (warning,) = manifest.warnings
    assert warning.position == Position(4, 9)
    assert str(warning) == (
        'the `ignore` rule for urn:li:incident:old on "analytics.orders" expired on 2026-11-22; '
        "extend `until` or delete it"
    )


def test_an_asset_may_be_input_and_output() -> None:
    manifest = load(f"inputs: ['{ORDERS}']\noutputs: ['{ORDERS}']\n")
    assert manifest.inputs[0].urn == manifest.outputs[0].urn


def test_an_anchor_saves_typing() -> None:
    manifest = load(f"inputs:\n  - urn: {ORDERS}\n    types: &t [SQL]\n  - urn: {DAILY}\n    types: *t\n")
    assert [entry.rules.types for entry in manifest.inputs] == [frozenset({"SQL"})] * 2


def test_every_mistake_is_reported_at_once_in_the_files_order() -> None:
    found = mistakes(f"""version: 2
defaults: {{on-incident: ignore}}
inputs:
  - {ORDERS.replace("PROD", "prod")}
  - urn: {ORDERS}
    on_incident: warn
    min-priority: high
input: []
""")
    assert found == [
        "gate.yml:1:10: version 2 is not supported; use 1",
        'gate.yml:2:25: "on-incident" is "ignore"; expected block or warn',
        'gate.yml:4:68: DataHub has no environment "prod"; expected "PROD"',
        'gate.yml:6:5: unknown key "on_incident"; expected "on-incident"',
        'gate.yml:7:19: "min-priority" is "high"; expected "HIGH"',
        'gate.yml:8:1: unknown key "input"; expected "inputs"',
    ]


ENTRY = f"- urn: {ORDERS}\n  "
WAIVER = f"{ENTRY}ignore:\n  - "
OUTPUT = f"outputs:\n- urn: {DAILY}\n  incident: "


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("hello", '1:1: the manifest is "hello"; expected a list of URNs, or the keys'),
        ("[]", "1:1: the manifest names no asset; expected at least one URN in inputs or outputs"),
        ("inputs: []\noutputs: []", "1:1: the manifest names no asset; expected"),
        ("version: 1", "1:1: the manifest names no asset; expected"),
        ("inputs:", '1:8: "inputs" is empty; expected a list'),
        ("inputs: {a: b}", '1:9: "inputs" is a group of keys; expected a list'),
        ("version: '1'\noutputs: []", "1:10: version 1 is not supported; use 1"),
        ("-", "1:2: an item of the manifest is empty; expected an asset's URN"),
        ("- []", "1:3: an item of the manifest is a list; expected an asset's URN"),
        ("- yes", '1:3: an item of the manifest is "yes", which YAML reads as true or false; expected an asset\'s URN'),
        (
            "- 2027-01-31",
            "which YAML reads as a date; expected an asset's URN$",
        ),
        (
            "- name: x",
            "1:3: an item of the manifest names no asset; expected one of the keys urn, upstream-of",
        ),
        (
            f"- {ORDERS}\n- {DAILY}\n- urn: {ORDERS}",
            f'3:8: "{ORDERS}" is a duplicate of line 1; expected each asset once',
        ),
        (f"outputs: ['{DAILY}', '{DAILY}']", f'"{DAILY}" is a duplicate of line 1; expected each asset once'),
        (f"[{ORDERS}]", '1:2: an item of the manifest is cut at ","; put it in quotes'),
        (f"- {{urn: {ORDERS}}}", '1:9: "urn" is cut at ","; put it in quotes'),
        (
            f"{ENTRY}on: block",
            '2:3: unknown key "on", which YAML reads as true or false; expected urn, name',
        ),
        (f"{ENTRY}12: block", '2:3: unknown key "12", which YAML reads as a number; expected urn'),
        (f"{ENTRY}2027-01-31: block", "which YAML reads as a date; expected urn"),
        (f"{ENTRY}~: block", "2:3: unknown key empty; expected urn"),
        (f"{ENTRY}name: yes", '2:9: "name" is "yes", which YAML reads as true or false; expected a text'),
        (f"{ENTRY}name: 2027", 'in quotes: "2027"'),
        (f"{ENTRY}name: ''", '2:9: "name" is ""; expected a text'),
        (f"{ENTRY}name: ' '", '2:9: "name" is " "; expected a text'),
        (f"{ENTRY}name: [a]", '2:9: "name" is a list; expected a text'),
        (f"{ENTRY}name: {'x' * 201}", '2:9: "name" has 201 characters; expected at most 200'),
        (f'{ENTRY}name: "a\\x1b[31m"', '2:9: "name" contains the control character U+001B'),
        (f"{ENTRY}name: ab\u202ecd", '2:11: "name" contains the control character U+202E'),
        (f'{ENTRY}name: "\u200b\u2060\u3164"', '2:9: "name" has no visible character; expected a text on one line'),
        (
            f"{ENTRY}ignore: [{{incident: 'urn:li:incident:1', until: 2027-01-31, reason: '\u200d \u115f'}}]",
            '"reason" has no visible character; expected one line that says why',
        ),
        (f'{ENTRY}name: "a\\nb"', '"name" contains the control character U+000A; expected a text on one line'),
        (
            f"{ENTRY}siblings: yes",
            '"siblings" is "yes", which YAML reads as true or false in some versions only; expected',
        ),
        (f"{ENTRY}siblings: 'true'", '"siblings" is "true"; expected true or false'),
        (f"{ENTRY}siblings: 1", '"siblings" is "1", which YAML reads as a number; expected true or false'),
        (f"{ENTRY}on-unknown: ignore", '2:15: "on-unknown" is "ignore"; expected block or warn'),
        (f"{ENTRY}on-unknown: wran", '2:15: "on-unknown" is "wran"; expected "warn"'),
        (f"{ENTRY}on-incident: [block]", '"on-incident" is a list; expected block, warn or ignore'),
        (f"{ENTRY}types: FRESHNESS", '2:10: "types" is "FRESHNESS"; expected a list: each item FRESHNESS, VOLUME'),
        (f"{ENTRY}types: []", '2:10: "types" is an empty list; expected at least 1'),
        (f"{ENTRY}types: [FRESHNES]", '2:11: an item of "types" is "FRESHNES"; expected "FRESHNESS"'),
        (f"{ENTRY}min-priority: 0", '"min-priority" is "0", which YAML reads as a number; expected CRITICAL, HIGH'),
        (
            f"{WAIVER}urn:li:incident:x",
            '3:5: an item of "ignore" is "urn:li:incident:x"; expected the keys',
        ),
        (
            f"{WAIVER}reason: x",
            '3:5: "ignore" entry has no "incident" or "assertion"; expected incident: urn:li:incident:<name>',
        ),
        (f"{WAIVER}reason: x", '3:5: "ignore" entry has no "until"; expected until: a day such as 2027-01-31'),
        (
            f"{WAIVER}until: 2027-01-31",
            '3:5: "ignore" entry has no "reason"; expected reason: one line that says why',
        ),
        (f"{WAIVER}until: 2027-02-30", '3:12: "until" is "2027-02-30", which is not a date; expected a day'),
        (f"{WAIVER}until: 2027-01-31 10:00:00", '3:12: "until" is "2027-01-31 10:00:00", which YAML reads as a date'),
        (
            f"{WAIVER}incident: urn:li:incident:1",
            'has no "until" and no "reason"; expected until: a day such as 2027-01-31 and reason: one line',
        ),
        (f"{ENTRY}assertion-max-age: 24", "which YAML reads as a number; expected a duration such as 24h or 7d$"),
        (f"- {ORDERS}\n  types: [FIELD]", '2:8: "types" belongs to no entry: write "- urn: urn:li:…" in line 1'),
        (f"- urn:{ORDERS}\n  types: [FIELD]", '2:8: "types" belongs to no entry: put a space after the first "urn:"'),
        (f"{ENTRY}  types: [FIELD]", '2:10: "types" is indented too far'),
        (
            f"inputs:\n  - urn: {ORDERS}\n   types: [FIELD]",
            "3:4: line 3 is indented by 3 spaces, the key above it by 4",
        ),
        (f"inputs:\n  - {ORDERS}\n - {DAILY}", "3:2: line 3 is indented by 1 space, the item above it by 2"),
        (f"inputs:\n  -urn: {ORDERS}", "2:3: a space is missing after the dash"),
        (f"inputs:\n  -urn: {ORDERS}\n    types: [FIELD]", "3:10: a space is missing after the dash in line 2"),
        (f"-urn:{ORDERS}\nversion: 1", "2:8: a space is missing after the dash in line 1"),
        (f"- '{ORDERS}\n- {DAILY}", "1:3: this is not YAML: the quote in line 1 is never closed"),
        ("password: x\nfoo: [y]", "1:1: this is not a manifest: none of its keys is known"),
        (f"{WAIVER}until: never", '3:12: "until" is "never"; expected a day such as 2027-01-31'),
        (f"{WAIVER}reason: ''", '3:13: "reason" is ""; expected one line'),
        (f"{WAIVER}incident: 5c3e", '3:15: "incident" is "5c3e"; expected urn:li:incident:<name>'),
        (
            f"{OUTPUT}{{type: CUSTOM}}",
            '3:14: "type: CUSTOM" requires "custom-type"; expected custom-type:',
        ),
        (f"{OUTPUT}{{type: CUSTOM, customType: x}}", '3:28: unknown key "customType"; expected "custom-type"'),
        (f"{OUTPUT}{{custom-type: x}}", '3:14: "custom-type" requires "type: CUSTOM"'),
        (f"{OUTPUT}{{type: SQL, custom-type: x}}", '3:25: "custom-type" requires "type: CUSTOM"'),
        (f"{OUTPUT}{{type: BROKEN}}", '"type" is "BROKEN"; expected FRESHNESS, VOLUME'),
        (f"{OUTPUT}{{assignees: [ana]}}", 'an item of "assignees" is "ana"; expected urn:li:corpuser:<name> or'),
        (f"{OUTPUT}FRESHNESS", '"incident" is "FRESHNESS"; expected the keys type, custom-type'),
        (f'{OUTPUT}{{title: "a\\x00"}}', '"title" contains the control character U+0000'),
        (f'{OUTPUT}{{description: "a\\n\\x1b[31m"}}', '"description" contains the control character U+001B'),
        ("a: [\n", "this is not YAML"),
        ("- !!python/name:os.system x\n- y", '1:3: the tag "tag:yaml.org,2002:python/name:os.system"'),
    ],
)
def test_each_mistake_is_explained(text: str, complaint: str) -> None:
    assert any(complaint in f"{line}$" for line in mistakes(text)), mistakes(text)


SALES = "urn:li:dataset:(urn:li:dataPlatform:excel,Sales{}North,PROD)"


@pytest.mark.parametrize("template", ["- {}", "- urn: {}", "inputs:\n- {}", "- upstream-of:\n  - {}"])
@pytest.mark.parametrize("piece", [" #", ": "])
def test_a_urn_that_yaml_cuts_asks_for_quotes(template: str, piece: str) -> None:
    (line,) = mistakes(template.format(SALES.format(piece)))
    assert f'is cut at "{piece}"; put it in quotes' in line
    quoted = template.format("'" + SALES.format(piece) + "'")
    assert load(quoted).inputs or load(quoted).selectors


@pytest.mark.parametrize(
    "text",
    [
        f"[{ORDERS}, x]",
        f"- {{urn: {ORDERS}, nam: x}}",
        f"- upstream-of: [{ORDERS}, x]",
        f"outputs: [{DAILY}, {{urn: x}}]",
    ],
)
def test_the_pieces_of_a_urn_cut_at_a_comma_are_one_mistake(text: str) -> None:
    first, second = mistakes(text)
    assert 'is cut at ","; put it in quotes' in first
    assert '"x"' in second or '"nam"' in second


@pytest.mark.parametrize(
    "text", ["outputs: [{dbt: a, incident: {title: f(x, tilte: y}}]", "- {dbt: 'a', name: f(x, nam: y}"]
)
def test_an_open_parenthesis_elsewhere_hides_no_unknown_key(text: str) -> None:
    assert any("unknown key" in line for line in mistakes(text))


def test_items_after_an_open_parenthesis_are_read() -> None:
    (selector,) = load("- dbt: {manifest: a, select: [f(x, tag:b]}").selectors
    assert isinstance(selector.what, Dbt)
    assert selector.what.select == ("f(x", "tag:b")


def test_a_link_to_a_page_is_explained_with_the_urn() -> None:
    (line,) = mistakes(f"- https://datahub.acme.com/dataset/{quote(ORDERS, safe='')}/Schema?x=y")
    assert "is a link to an asset's page" in line
    assert line.endswith(f"; expected {ORDERS}")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"- &a {ORDERS}\n- *a", f'2:3: "{ORDERS}" is a duplicate of line 1; expected each asset once'),
        (f"- &a {{urn: '{ORDERS}'}}\n- {DAILY}\n- *a", f'3:3: "{ORDERS}" is a duplicate of line 1'),
        (f"- &a\n  urn: {ORDERS}\n- *a\n- *a", f'4:3: "{ORDERS}" is a duplicate of line 2'),
    ],
)
def test_a_duplicate_by_alias_is_on_the_line_of_the_alias(text: str, complaint: str) -> None:
    assert any(complaint in f"{line}$" for line in mistakes(text)), mistakes(text)


def test_a_mistake_elsewhere_does_not_hide_a_duplicate() -> None:
    found = mistakes(f"- {ORDERS}\n- urn: {ORDERS}\n  nam: x\n")
    assert len(found) == 2


def test_mistakes_are_reported_in_the_files_order_however_they_were_found() -> None:
    found = mistakes(f"- x\n- {ORDERS}\n- {ORDERS}\n")
    assert [line.split(":")[1] for line in found] == ["1", "3"]


@pytest.mark.parametrize("text", ["- urn:li:chart:(a,b", "['urn:li:chart:(a,b']"])
def test_a_parenthesis_that_no_comma_cut_off_is_never_closed(text: str) -> None:
    assert "never closed" in mistakes(text)[0]


def test_a_custom_type_is_not_missed_twice() -> None:
    (line,) = mistakes(f"{OUTPUT}{{type: CUSTM, custom-type: x}}")
    assert '"type" is "CUSTM"; expected "CUSTOM"' in line


def test_text_that_some_scripts_need_is_text() -> None:
    (entry,) = load(f'{ENTRY}name: "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\u00a0👩\u200d💻"').inputs
    assert entry.name == "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\u00a0👩\u200d💻"


def test_a_thousand_mistakes_are_enough() -> None:
    with pytest.raises(ManifestError) as caught:
        load("".join(f"- x{number}\n" for number in range(5_000)))
    assert len(caught.value.mistakes) == 1_001
    assert "more than 1,000 errors" in caught.value.mistakes[-1].message


def test_too_many_entries_are_refused() -> None:
    assert mistakes("[" + "x," * 20_001 + "]") == [
        "gate.yml:1:1: the manifest has 20,001 items; expected at most 20,000"
    ]


def test_an_empty_file_shows_what_to_write() -> None:
    text = "\n".join(mistakes("# nothing yet\n"))
    assert text.startswith("gate.yml:1:1: the file is empty\n")
    example = text[text.index("inputs:") :]
    assert load(example).inputs


def test_a_wrong_manifest_is_a_usage_error() -> None:
    with pytest.raises(ManifestError) as caught:
        load("- x")
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.path == "gate.yml"
    assert [mistake.position for mistake in caught.value.mistakes] == [Position(1, 3)]
