"""Every mistake in a manifest, with its place and what to write instead; and whether an editor shows one as well."""

import json
from typing import Any

import jsonschema
import pytest
import yaml

from incident_gate.errors import ExitCode
from incident_gate.manifest.grammar import manifest_schema
from incident_gate.manifest.model import ManifestError, Position
from tests.helpers.asking import ORDERS
from tests.helpers.manifests import DAILY, load, mistakes

ENTRY = f"- urn: {ORDERS}\n  "
WAIVER = f"{ENTRY}ignore:\n  - "
OUTPUT = f"outputs:\n- urn: {DAILY}\n  incident: "
PEOPLE = f"outputs: ['{DAILY}']\npeople: "
SALES = "urn:li:dataset:(urn:li:dataPlatform:excel,Sales{}North,PROD)"
SCHEMA = jsonschema.Draft7Validator(manifest_schema())

# An editor refuses these as well.
WRONG = [
    ("hello", '1:1: the manifest is "hello"; expected a list of URNs, or the keys'),
    ("12", '1:1: the manifest is "12", which YAML reads as a number; expected a list of URNs'),
    ("[]", "1:1: the manifest names no asset; expected at least one URN in inputs or outputs"),
    ("inputs: []\noutputs: []", "1:1: the manifest names no asset; expected"),
    ("version: 1", "1:1: the manifest names no asset; expected"),
    (f"version: 2\ninputs: ['{ORDERS}']", "1:10: version 2 is not supported; use 1"),
    (f"version: '1'\noutputs: ['{ORDERS}']", '1:10: "version" is "1" in quotes; expected 1$'),
    (f"imputs: ['{ORDERS}']", '1:1: unknown key "imputs"; expected "inputs"'),
    ("password: x\nfoo: [y]", "1:1: this is not a manifest: none of its keys is known"),
    (f"defaults: {{on-incident: ignore}}\ninputs: ['{ORDERS}']", '1:25: "on-incident" is "ignore"; expected block or'),
    # Inputs and outputs
    ("inputs:", '1:8: "inputs" is empty; expected a list'),
    ("inputs: {a: b}", '1:9: "inputs" is a group of keys; expected a list'),
    ("-", "1:2: an item of the manifest is empty; expected an asset's URN"),
    ("- []", "1:3: an item of the manifest is a list; expected an asset's URN"),
    ("- yes", '1:3: an item of the manifest is "yes", which YAML reads as true or false; expected an asset\'s URN'),
    ("- 2027-01-31", "which YAML reads as a date; expected an asset's URN$"),
    ("- name: x", "1:3: an item of the manifest names no asset; expected one of the keys urn, upstream-of"),
    (f"[{ORDERS}]", '1:2: an item of the manifest is cut at ","; put it in quotes'),
    (f"- {{urn: {ORDERS}}}", '1:9: "urn" is cut at ","; put it in quotes'),
    ("- urn:li:chart:(a,b", "never closed"),
    ("['urn:li:chart:(a,b', x]", "never closed"),
    ("['urn:li:chart:(a,b', x]", '"x" is not a URN'),
    ("- urn:li:chart:(a,)", "1:19: a part of the URN is empty"),
    ("- urn:li:mlModell:(a,b,PROD)", '1:10: "mlModell" is not a type of asset; expected "mlModel"'),
    ("- urn:li:mlModel:(a,b,PROD)", '1:19: "a" is not a data platform'),
    ("- urn:li:dataset:(urn:li:dataPlatform:dbt,a,prod)", '1:45: DataHub has no environment "prod"; expected "PROD"'),
    ("- urn:li:dataset:(urn:li:dataPlatform:dbt,a,b,PROD)", "4 parts between the parentheses, not 3"),
    ("- urn: 'urn:li:container:'", "1:26: the URN ends too early"),
    (f"inputs:\n  -urn: {ORDERS}", "2:3: a space is missing after the dash$"),
    # Keys of an entry
    (f"{ENTRY}on_incident: warn", '2:3: unknown key "on_incident"; expected "on-incident"'),
    (f"{ENTRY}on: block", '2:3: unknown key "on", which YAML reads as true or false; expected urn, name'),
    (f"{ENTRY}12: block", '2:3: unknown key "12", which YAML reads as a number; expected urn'),
    (f"{ENTRY}~: block", "2:3: unknown key empty; expected urn"),
    (f"{ENTRY}'<<': x", '2:3: unknown key "<<"; expected urn'),
    (f"{ENTRY}name: ~", '2:9: "name" is empty; expected a text on one line$'),
    (f"{ENTRY}name: yes", '2:9: "name" is "yes", which YAML reads as true or false; expected a text'),
    (f"{ENTRY}name: 2027", 'in quotes: "2027"'),
    (f"{ENTRY}name: ' '", '2:9: "name" is " "; expected a text'),
    (f"{ENTRY}name: [a]", '2:9: "name" is a list; expected a text'),
    (f"{ENTRY}name: {'x' * 201}", '2:9: "name" has 201 characters; expected at most 200'),
    (f"{ENTRY}siblings: 'true'", '"siblings" is "true" in quotes; expected true or false'),
    (f"{ENTRY}siblings: 1", '"siblings" is "1", which YAML reads as a number; expected true or false'),
    (f"{ENTRY}on-unknown: ignore", '2:15: "on-unknown" is "ignore"; expected block or warn'),
    (f"{ENTRY}on-unknown: wran", '2:15: "on-unknown" is "wran"; expected "warn"'),
    (f"{ENTRY}on-incident: [block]", '"on-incident" is a list; expected block, warn or ignore'),
    (f"{ENTRY}on-failing-assertion: fail", '"fail"; expected ignore, warn or block'),
    (f"{ENTRY}types: FRESHNESS", '2:10: "types" is "FRESHNESS"; expected a list: each item FRESHNESS, VOLUME'),
    (f"{ENTRY}types: []", '2:10: "types" is an empty list; expected at least 1'),
    (f"{ENTRY}types: [FRESHNES]", '2:11: an item of "types" is "FRESHNES"; expected "FRESHNESS"'),
    (f"{ENTRY}min-priority: 0", '"min-priority" is "0", which YAML reads as a number; expected CRITICAL, HIGH'),
    (f"{ENTRY}assertion-max-age: 24", "which YAML reads as a number; expected a duration such as 24h or 7d$"),
    (f"{ENTRY}assertion-max-age: 0h", '"0h"; expected a duration'),
    # Rules of `ignore`
    (
        f"{WAIVER}urn:li:incident:x",
        '3:5: an item of "ignore" is "urn:li:incident:x"; expected the keys incident or assertion, until, reason$',
    ),
    (f"{WAIVER}reason: x", '3:5: "ignore" entry has no "incident" or "assertion"; expected incident: urn:li:incident:'),
    (f"{WAIVER}reason: x", '3:5: "ignore" entry has no "until"; expected until: a day such as 2027-01-31$'),
    (f"{WAIVER}until: 2027-01-31", '3:5: "ignore" entry has no "reason"; expected reason: one line that says why'),
    (
        f"{WAIVER}incident: urn:li:incident:1",
        'has no "until" and no "reason"; expected until: a day such as 2027-01-31',
    ),
    (f"{WAIVER}until: 2027-01-31 10:00:00", '3:12: "until" is "2027-01-31 10:00:00", which YAML reads as a date'),
    (f"{WAIVER}until: never", '3:12: "until" is "never"; expected a day such as 2027-01-31'),
    (f"{WAIVER}reason: ''", '3:13: "reason" is ""; expected one line'),
    (f"{WAIVER}incident: 5c3e", '3:15: "incident" is "5c3e"; expected urn:li:incident:<name>'),
    (f"{WAIVER}assertion: urn:li:incident:1", '"assertion" is "urn:li:incident:1"; expected urn:li:assertion:'),
    (
        f"{WAIVER}{{until: 2027-01-31, reason: r, incident: 'urn:li:incident:1', assertion: 'urn:li:assertion:1'}}",
        '"incident" and "assertion" in one place; expected one of them',
    ),
    # Selectors
    ("- upstream-of: output", '1:16: "upstream-of" is "output"; expected "outputs"'),
    ("- upstream-of: orders", '1:16: "orders" is not a URN'),
    ("- upstream-of: []", '1:16: "upstream-of" is an empty list'),
    ("- {upstream-of: outputs, hops: 3}", '"hops" is "3", which YAML reads as a number; expected 1, 2 or all'),
    ("- {upstream-of: outputs, hops: yes}", '"hops" is "yes", which YAML reads as true or false; expected 1, 2 or all'),
    ("- {upstream-of: outputs, hop: 1}", 'unknown key "hop"; expected "hops"'),
    ("- upstreams-of: outputs", '1:3: unknown key "upstreams-of"; expected "upstream-of"'),
    (f"{ENTRY}search: {{env: PROD}}", '2:3: "urn" and "search" in one entry; expected an entry for each'),
    (f"{ENTRY}at-most: 3", '2:3: unknown key "at-most"'),
    ("- search: {}", '1:11: "search" is empty; expected at least one of the keys tags, terms'),
    ("- search: orders", '1:11: "search" is "orders"; expected the keys tags'),
    ("- search: {tags: tier1}", '1:18: "tags" is "tier1"; expected urn:li:tag:<name>'),
    ("- search: {tags: []}", '1:18: "tags" is an empty list; expected at least 1'),
    ("- search: {env: prod}", '1:17: "env" is "prod"; expected "PROD"'),
    ("- search: {platforms: [a b]}", 'an item of "platforms" is "a b"; expected a platform such as snowflake'),
    ("- dbt: {select: a}", '"dbt" has no "manifest"; expected manifest: a path'),
    ("- dbt: {manifest: a, convert_urns_to_lowercase: true}", 'expected "convert-urns-to-lowercase"'),
    ("- dbt:", '"dbt" is empty; expected a path'),
    ("- {dbt: a, hops: 1}", '1:12: unknown key "hops"'),
    ("- {dbt: a, at-most: 0}", '"at-most" is "0", which YAML reads as a number; expected a number from 1 to 20000'),
    ("- {dbt: a, at-most: 20001}", "expected a number from 1 to 20000"),
    ("- {dbt: a, at-most: '5'}", '"at-most" is "5" in quotes; expected a number from 1'),
    ("- {dbt: a, at-most: many}", '"at-most" is "many"; expected a number from 1'),
    ("- {dbt: a, may-be-empty: maybe}", '"may-be-empty" is "maybe"; expected true or false'),
    ("outputs: [{search: {env: PROD}}]", 'unknown key "search"'),
    ("outputs: [{upstream-of: outputs}]", 'unknown key "upstream-of"'),
    ("outputs: [{dbt: a, on-incident: warn}]", 'unknown key "on-incident"'),
    # Keys of an output, and people
    (f"outputs: [{{urn: '{DAILY}', checks: []}}]", '"checks" is an empty list'),
    (f"outputs: [{{urn: '{DAILY}', siblings: true}}]", 'unknown key "siblings"'),
    (f"{OUTPUT}{{type: CUSTOM}}", '3:14: "type: CUSTOM" requires "custom-type"; expected custom-type: a text'),
    (f"{OUTPUT}{{type: CUSTOM, customType: x}}", '3:28: unknown key "customType"; expected "custom-type"'),
    (f"{OUTPUT}{{custom-type: x}}", '3:14: "custom-type" requires "type: CUSTOM"'),
    (f"{OUTPUT}{{type: SQL, custom-type: x}}", '3:25: "custom-type" requires "type: CUSTOM"'),
    (f"{OUTPUT}{{type: BROKEN}}", '"type" is "BROKEN"; expected FRESHNESS, VOLUME'),
    (f"{OUTPUT}{{assignees: [ana]}}", 'an item of "assignees" is "ana"; expected urn:li:corpuser:<name> or'),
    (f"{OUTPUT}FRESHNESS", '"incident" is "FRESHNESS"; expected the keys type, custom-type'),
    (f"{PEOPLE}[ana]", '"people" is a list; expected pairs'),
    (f"{PEOPLE}{{ana: U0123}}", 'a key of "people" is "ana"; expected urn:li:corpuser:'),
    (f"{PEOPLE}{{'urn:li:corpuser:ana': '@ana'}}", '"@ana"; expected a Slack id such as'),
]

# A schema cannot say this.
WRONG_FOR_THE_GATE_ONLY = [
    (f"- {ORDERS}\n- {DAILY}\n- urn: {ORDERS}", f'3:8: "{ORDERS}" is a duplicate of line 1; expected each asset once'),
    (f"outputs: ['{DAILY}', '{DAILY}']", f'"{DAILY}" is a duplicate of line 1; expected each asset once'),
    (f"- &a {ORDERS}\n- *a", f'2:3: "{ORDERS}" is a duplicate of line 1; expected each asset once'),
    (f"- &a {{urn: '{ORDERS}'}}\n- {DAILY}\n- *a", f'3:3: "{ORDERS}" is a duplicate of line 1'),
    (f"- &a\n  urn: {ORDERS}\n- *a\n- *a", f'4:3: "{ORDERS}" is a duplicate of line 2'),
    (f'{ENTRY}name: "a\\x1b[31m"', '2:9: "name" contains the control character U+001B'),
    (f"{ENTRY}name: ab\u202ecd", '2:11: "name" contains the control character U+202E'),
    (f'{ENTRY}name: "\u200b\u2060\u3164"', '2:9: "name" has no visible character; expected a text on one line'),
    (f'{ENTRY}name: "a\\nb"', '"name" contains the control character U+000A; expected a text on one line'),
    (
        f"{WAIVER}{{until: 2027-01-31, incident: 'urn:li:incident:1', reason: '\u200d \u115f'}}",
        '"reason" has no visible character; expected one line that says why',
    ),
    (f'{OUTPUT}{{description: "a\\n\\x1b[31m"}}', '"description" contains the control character U+001B'),
    (f"{ENTRY}siblings: yes", '"siblings" is "yes", which YAML reads as true or false in some versions only; expected'),
    (f"{ENTRY}2027-01-31: block", "which YAML reads as a date; expected urn"),
    (f"{WAIVER}until: 2027-02-30", '3:12: "until" is "2027-02-30", which is not a date; expected a day'),
    # The keys behind it would be left out with the pieces of a URN.
    (f"- {{urn: '{ORDERS}', name: urn:li:dataset:(a, on-incident: warn}}", '"name" is cut at ","; put it in quotes'),
    (f"{ENTRY}name: a: b", '2:10: a value is cut at ": "; put it in quotes$'),
    (f"{ENTRY}name: 'x' y", "2:13: this is not YAML: did not find expected key"),
    (
        f"- {ORDERS}\n\n  types: [FIELD]",
        '3:8: "types" belongs to no entry: write "- urn: urn:li:…" in line 1, and align',
    ),
    (f"- urn:{ORDERS}\n  types: [FIELD]", '2:8: "types" belongs to no entry: put a space after the first "urn:"'),
    (f"{ENTRY}  types: [FIELD]", '2:10: "types" is indented too far; align it with the keys above'),
    (f"inputs:\n  - urn: {ORDERS}\n   types: [FIELD]", "3:4: line 3 is indented by 3 spaces, the key above it by 4$"),
    (f"inputs:\n  - {ORDERS}\n - {DAILY}", "3:2: line 3 is indented by 1 space, the item above it by 2$"),
    (f"{ENTRY}name: y\n - {DAILY}", "3:2: line 3 is indented by 1 space, the item above it by 0$"),
    ("-urn:li:chart:(a,b)", "1:1: a space is missing after the dash$"),
    ("inputs:\n  - x\n  -urn:li:x\n  - y", "3:3: a space is missing after the dash$"),
    ("inputs:\n-urn\noutputs: []", "2:1: a space is missing after the dash$"),
    (f"inputs:\n  -urn: {ORDERS}\n    types: [FIELD]", "3:10: a space is missing after the dash in line 2"),
    (f"-urn:{ORDERS}\nversion: 1", "2:8: a space is missing after the dash in line 1"),
    (f"- '{ORDERS}\n- {DAILY}", "1:3: this is not YAML: the quote in line 1 is never closed"),
    ("- !!python/name:os.system x\n- y", '1:3: the tag "tag:yaml.org,2002:python/name:os.system"'),
]


def refused_by_editors(text: str) -> bool:
    """A date is a text in JSON."""
    content: Any = json.loads(json.dumps(yaml.safe_load(text), default=str))
    return not SCHEMA.is_valid(content)


@pytest.mark.parametrize(("text", "complaint"), WRONG + WRONG_FOR_THE_GATE_ONLY)
def test_each_mistake_is_explained(text: str, complaint: str) -> None:
    assert any(complaint in f"{line}$" for line in mistakes(text)), mistakes(text)


@pytest.mark.parametrize("text", dict.fromkeys(text for text, _ in WRONG))
def test_an_editor_refuses_it_too(text: str) -> None:
    assert refused_by_editors(text)


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


def test_a_mistake_elsewhere_does_not_hide_a_duplicate() -> None:
    found = mistakes(f"- {ORDERS}\n- urn: {ORDERS}\n  nam: x\n")
    assert len(found) == 2


def test_mistakes_are_reported_in_the_files_order_however_they_were_found() -> None:
    found = mistakes(f"- x\n- {ORDERS}\n- {ORDERS}\n")
    assert [line.split(":")[1] for line in found] == ["1", "3"]


def test_a_custom_type_is_not_missed_twice() -> None:
    (line,) = mistakes(f"{OUTPUT}{{type: CUSTM, custom-type: x}}")
    assert '"type" is "CUSTM"; expected "CUSTOM"' in line


def test_a_mistake_in_a_selector_does_not_hide_another() -> None:
    assert len(mistakes("- dbt: {manifest: a, envs: PROD}\n  at-most: x\n- search: {tags: x}")) == 3


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
