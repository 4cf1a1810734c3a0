"""`${NAME}` in a manifest: replaced in values, after YAML is read, and only from what the user passed."""

from collections.abc import Mapping

import pytest

from incident_gate.manifest.model import Dbt, IncidentTemplate, OnIncident, Rules
from tests.helpers.manifests import load, mistakes

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders,{})"


@pytest.mark.parametrize("template", ["- {}", "- '{}'", '- "{}"', "inputs:\n  - urn: {}", "inputs: ['{}']"])
def test_a_name_is_replaced_however_the_value_is_written(template: str) -> None:
    (entry,) = load(template.format(ORDERS.format("${ENV}")), ENV="DEV").inputs
    assert entry.urn.text == ORDERS.format("DEV")


def test_several_names_and_literals_are_replaced_in_one_pass() -> None:
    (entry,) = load(f"- urn: {ORDERS.format('PROD')}\n  name: '${{A}}${{B}} $${{A}} $A'", A="${B}", B="b").inputs
    assert entry.name == "${B}b ${A} $A"


def test_a_value_of_any_type_may_come_from_a_variable() -> None:
    text = "{dbt: '${D}', siblings: '${FLAG}', on-incident: '${WARN}', name: '${Y}', at-most: '${N}', types: ['${T}']}"
    (selector,) = load(f"- {text}", D="a.json", FLAG="false", WARN="warn", Y="2027", N="7", T="SQL").selectors
    assert selector.what == Dbt(("a.json",))
    assert selector.rules == Rules(siblings=False, on_incident=OnIncident.WARN, types=frozenset({"SQL"}))
    assert (selector.name, selector.at_most) == ("2027", 7)


@pytest.mark.parametrize("value", ["x]\noutputs: [y", "a: b", "- x", "*a", "[1, 2]", "# x", "'"])
def test_a_value_adds_no_keys_and_no_entries(value: str) -> None:
    (output,) = load(f"outputs:\n- urn: {ORDERS.format('DEV')}\n  incident:\n    description: ${{V}}", V=value).outputs
    assert output.incident == IncidentTemplate(description=value)


def test_a_key_is_not_replaced() -> None:
    assert 'unknown key "${K}"' in mistakes(f"- urn: {ORDERS.format('PROD')}\n  ${{K}}: x", K="name")[0]


def test_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV", "PROD")
    assert mistakes(f"- {ORDERS.format('${ENV}')}")[0].startswith('gate.yml:1:66: the variable "ENV" is not defined')


@pytest.mark.parametrize(
    ("text", "variables", "complaint"),
    [
        (
            f"- x\n- {ORDERS.format('${EVN}')}",
            {"ENV": "PROD"},
            '2:66: the variable "EVN" is not defined; expected EVN=',
        ),
        (f"- '{ORDERS.format('${}')}'", {}, '1:67: "${" without the name of a variable; expected ${NAME}, or $${'),
        (f"- '{ORDERS.format('${A')}'", {"A": "x"}, '"${" without the name of a variable'),
        (f"- {ORDERS.format('${ENV}')}", {"ENV": "prod"}, '1:3: DataHub has no environment "prod"; expected "PROD"'),
        (f"- '{ORDERS.format('${ENV}')}'", {"ENV": "PR\x1bOD"}, "U+001B"),
        (f"- {ORDERS.format('${ENV}')}\n- {ORDERS.format('DEV')}", {"ENV": "DEV"}, "2:3: "),
    ],
)
def test_each_mistake_has_its_line(text: str, variables: Mapping[str, str], complaint: str) -> None:
    assert any(complaint in line for line in mistakes(text, **variables)), mistakes(text, **variables)


@pytest.mark.parametrize("text", ["- ${A}", "- {upstream-of: outputs, hops: '${A}'}"])
def test_a_mistake_in_a_variable_is_reported_once(text: str) -> None:
    assert len(mistakes(text)) == 1


@pytest.mark.parametrize("text", ["- x${A}\n" * 2_000, "- '" + "${A}" * 2_000 + "'"])
def test_what_variables_make_of_a_manifest_has_a_limit(text: str) -> None:
    [mistake] = [line for line in mistakes(text, A="a" * 2_000) if "variables" in line]
    assert "make the manifest too large; expected at most 2,097,152 characters of them" in mistake
