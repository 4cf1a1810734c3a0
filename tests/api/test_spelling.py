"""Hints name options as the user of the run sets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_gate.api.spelling import speller
from incident_gate.datahub.address import parse_address
from incident_gate.datahub.connection import Connection, Spelling
from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.command import gate


def connection(setting: str, spelling: Spelling = Spelling.INPUT, token_setting: str = "") -> Connection:
    address = parse_address("https://datahub.example.com", setting=setting)
    return Connection(address=address, token="", token_setting=token_setting, spelling=spelling)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Check http or https in datahub-url.", "Check http or https in DATAHUB_GMS_URL."),
        ("Check datahub-token and datahub-url:", "Check ~/.datahubenv and DATAHUB_GMS_URL:"),
        ("give its PEM file as ca-bundle or SSL_CERT_FILE", "give its PEM file as --ca-bundle or SSL_CERT_FILE"),
        ("Raise `timeout`, in seconds.", "Raise `--timeout`, in seconds."),
        ("HTTP 504: gateway timeout", "HTTP 504: gateway timeout"),
        ("set `on-unknown: warn` on this entry", "set `on-unknown: warn` on this entry"),
        ("on-unknown blocks", "--on-unknown blocks"),
        ("another `incident-key`", "another `--incident-key`"),
        ("acme-datahub-url, datahub-url-2", "acme-datahub-url, datahub-url-2"),
        ("--incident-key", "--incident-key"),
    ],
)
def test_options_are_named_as_they_are_set(given: str, expected: str) -> None:
    spell = speller(connection("DATAHUB_GMS_URL", Spelling.OPTION, token_setting="~/.datahubenv"))

    assert spell
    assert spell(given) == expected


def test_only_the_address_is_renamed_where_a_variable_sets_it() -> None:
    spell = speller(connection("DATAHUB_GMS_URL"))

    assert spell
    assert spell("Check datahub-url and datahub-token, or raise `timeout` in `reports`.") == (
        "Check DATAHUB_GMS_URL and datahub-token, or raise `timeout` in `reports`."
    )


def test_names_of_inputs_stay_where_the_inputs_are_set() -> None:
    assert speller(connection("datahub-url", Spelling.INPUT, "datahub-token")) is None


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
        assert f"Check {name}" in text
        assert "Check datahub-url" not in text
