"""Messages name settings as the user of the run sets them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import incident_gate
from incident_gate.datahub.connection import Connection, Spelling, parse_address
from incident_gate.errors import Hint
from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from incident_gate.settings.options import OPTIONS
from tests.helpers.asking import ORDERS
from tests.helpers.command import gate


def resolved(text: str, spelling: Spelling, *, url: str = "datahub-url", token: str = "") -> str:
    address = parse_address("https://datahub.example.com", setting=url)
    return Connection(address=address, token="", token_setting=token, spelling=spelling).resolved(text)


HINT = Hint("Check {datahub-url}, {ca-bundle|SSL_CERT_FILE} and {datahub-token|DATAHUB_GMS_TOKEN}; raise `{timeout}`.")


@pytest.mark.parametrize(
    ("spelling", "url", "token", "expected"),
    [
        (
            Spelling.OPTION,
            "DATAHUB_GMS_URL",
            "~/.datahubenv",
            "Check DATAHUB_GMS_URL, --ca-bundle or SSL_CERT_FILE and ~/.datahubenv; raise `--timeout`.",
        ),
        (
            Spelling.INPUT,
            "datahub-url",
            "",
            "Check datahub-url, ca-bundle or SSL_CERT_FILE and datahub-token or DATAHUB_GMS_TOKEN; raise `timeout`.",
        ),
        # The library reads no environment.
        (Spelling.ARGUMENT, "datahub_url", "", "Check datahub_url, ca_bundle and datahub_token; raise `timeout`."),
    ],
)
def test_settings_are_named_as_they_are_set(spelling: Spelling, url: str, token: str, expected: str) -> None:
    assert resolved(HINT, spelling, url=url, token=token) == expected


def test_a_hint_that_is_not_resolved_has_the_names_of_the_inputs() -> None:
    assert f"{HINT}".endswith("and datahub-token or DATAHUB_GMS_TOKEN; raise `timeout`.")


def test_what_is_not_our_own_text_is_never_looked_through() -> None:
    untrusted = "{datahub-token} {0} {"

    assert resolved(untrusted, Spelling.OPTION) == untrusted
    hint = Hint("{1}: {0}, raise {timeout}", untrusted, Hint("see {wait}"))
    assert resolved(hint, Spelling.OPTION) == f"see --wait: {untrusted}, raise --timeout"


def test_the_template_of_every_hint_is_a_constant_that_names_settings_and_values() -> None:
    calls = [
        call
        for path in Path(incident_gate.__file__).parent.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Hint"
    ]
    assert len(calls) > 20
    for call in calls:
        template, *values = call.args
        if isinstance(template, ast.Attribute) and template.attr == "template":
            continue  # another hint's, with other values
        assert isinstance(template, ast.Constant), ast.unparse(call)
        words = [piece.partition("}")[0] for piece in str(template.value).split("{")[1:]]
        assert words, f"names nothing: {ast.unparse(call)}"
        for word in words:
            assert word in map(str, range(len(values))) or word.partition("|")[0] in OPTIONS, ast.unparse(call)


@pytest.mark.parametrize("name", ["--datahub-url", "DATAHUB_GMS_URL"])
def test_command_line_names_options(datahub: Sandbox, manifest: str, tmp_path: Path, name: str) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=404),))
    url = ("--datahub-url", datahub.url) if name.startswith("--") else ()
    variables = {} if url else {name: datahub.url}

    lineage = tmp_path / "lineage.yml"
    lineage.write_text(f"inputs:\n  - upstream-of: {ORDERS}\n", encoding="utf-8")

    for command in (
        ("check", manifest),
        ("doctor", manifest),
        ("raise", manifest, "--incident-key", "k"),
        ("select", str(lineage)),
        ("validate", "--online", manifest),
    ):
        ended = gate(*command, *url, "--datahub-token", datahub.token, environment=variables)

        text = " ".join((ended.out + ended.err).split())
        assert ended.code == 3
        assert f"heck {name}" in text
        assert "heck datahub-url" not in text
