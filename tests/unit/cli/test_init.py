"""`incident-gate init`: a manifest from URNs and links."""

import io
from datetime import date

import pytest

from incident_gate.cli.main import run
from incident_gate.manifest.load import load_manifest
from tests.helpers.asking import CHART, DASHBOARD, FLOW, JOB, ORDERS
from tests.helpers.command import Ended, gate

_ENCODED = "urn%3Ali%3Adataset%3A%28urn%3Ali%3AdataPlatform%3Asnowflake%2Canalytics.orders%2CPROD%29"


def _inputs(ended: Ended) -> list[str]:
    assert (ended.code, ended.err) == (0, "")
    manifest = load_manifest("printed", ended.out.encode(), date(2026, 11, 25))
    return [entry.urn.text for entry in manifest.inputs]


def _piped(text: bytes, *arguments: str) -> Ended:
    out, err = io.StringIO(), io.StringIO()
    code = run(["init", *arguments], {}, out, err, io.BytesIO(text))
    return Ended(code, out.getvalue(), err.getvalue())


@pytest.mark.parametrize(
    ("text", "urn"),
    [
        (ORDERS, ORDERS),
        (_ENCODED, ORDERS),
        (f"https://acme.acryl.io/dataset/{_ENCODED}/Schema?is_lineage_mode=false", ORDERS),
        (f"http://localhost:9002/dataset/{_ENCODED}", ORDERS),
        (f"https://datahub.example.com/base/dataset/{ORDERS}/Incidents", ORDERS),
        (f"https://acme.acryl.io/tasks/{JOB}/Lineage", JOB),
        (f"https://acme.acryl.io/pipelines/{FLOW}", FLOW),
        (f"https://acme.acryl.io/chart/{CHART}/", CHART),
        (f"https://acme.acryl.io/dashboard/{DASHBOARD}/Incidents#top", DASHBOARD),
    ],
)
def test_urns_and_links(text: str, urn: str) -> None:
    assert _inputs(gate("init", text)) == [urn]


def test_several_assets_once_each() -> None:
    assert _inputs(gate("init", ORDERS, JOB, ORDERS)) == [ORDERS, JOB]


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_standard_input(arguments: tuple[str, ...]) -> None:
    assert _inputs(_piped(f"{ORDERS}\n\n  {JOB}\r\n".encode(), *arguments)) == [ORDERS, JOB]


@pytest.mark.parametrize("name", ["a: b", "a #b", "a${B}", "é", "'a\"", "*a", "a\u00a0b", "a,b".replace(",", "%2C")])
def test_any_name_survives(name: str) -> None:
    urn = f"urn:li:dataset:(urn:li:dataPlatform:s3,{name.replace(',', '%2C')},PROD)"
    assert _inputs(gate("init", urn)) == [urn]


def test_what_is_no_asset_is_refused_with_all_errors() -> None:
    ended = gate("init", "orders", ORDERS, "https://acme.acryl.io/search?query=orders", "urn:li:nosuch:a")
    assert (ended.code, ended.out) == (2, "")
    orders, page, kind, _ = ended.err.splitlines()
    assert orders.startswith('error: "orders" is not a URN; a URN looks like urn:li:dataset:')
    assert page.startswith('error: "https://acme.acryl.io/search?query=orders" ')
    assert kind.startswith('error: "urn:li:nosuch:a": "nosuch" is not a type of asset; ')
    assert page.endswith("is a link, but not to an asset's page; expected a URN.")


def test_nothing_is_refused() -> None:
    ended = _piped(b"\n")
    assert (ended.code, ended.out) == (2, "")
    assert "There is no asset." in ended.err


def test_escapes_of_a_urn_stay_as_they_are() -> None:
    urn = "urn:li:dataset:(urn:li:dataPlatform:excel,margins%28x%29,PROD)"

    assert gate("init", urn).out.startswith(f"inputs:\n  - {urn}\n\n# ")


def test_hint_at_outputs_can_be_uncommented() -> None:
    printed = gate("init", ORDERS).out.replace("\n# outputs", "\noutputs").replace("\n#   -", "\n  -")

    assert len(load_manifest("printed", printed.encode(), date(2026, 11, 25)).outputs) == 1
