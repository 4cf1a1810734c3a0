"""`validate --online`: every asset that a manifest names exists, and every waived incident."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS
from tests.helpers.command import Ended, ask, gate

GONE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.gone,PROD)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gate.yml"


def online(server: Sandbox, path: Path, text: str) -> Ended:
    path.write_text(text)
    return ask(server, "validate", "--online", str(path))


def test_what_exists_is_valid(each_datahub: Sandbox, path: Path) -> None:
    found = each_datahub.store.raise_incident(ORDERS, state="RESOLVED")

    ended = online(
        each_datahub,
        path,
        f"inputs:\n- urn: {ORDERS}\n  ignore: [{{incident: '{found}', until: 2099-01-01, reason: r}}]\n"
        f"outputs:\n- {CUSTOMERS}\n",
    )

    assert ended == Ended(0, f"{path}: valid, 1 input, 1 output\n", "")


def test_every_asset_that_does_not_exist_has_its_place(datahub: Sandbox, path: Path) -> None:
    text = f"inputs:\n- {ORDERS}\n- {GONE}\n- upstream-of: ['{MODEL}']\noutputs:\n- {GONE.replace('gone', 'lost')}\n"

    ended = online(datahub, path, text)

    assert ended.code == 2
    places = [line.removeprefix(f"{path}:").partition(" ")[0] for line in ended.out.splitlines()]
    assert places == ["3:3:", "4:3:", "6:3:"]
    assert "is not in DataHub" in ended.out


@pytest.mark.parametrize("state", ["ACTIVE", "RESOLVED"])
def test_an_incident_that_is_waived_exists_in_any_state(datahub: Sandbox, path: Path, state: str) -> None:
    found = datahub.store.raise_incident(ORDERS, state=state)
    other = datahub.store.raise_incident(CUSTOMERS)
    waiver = "  - {{incident: '{}', until: 2099-01-01, reason: r}}\n"
    text = f"inputs:\n- urn: {ORDERS}\n  ignore:\n{waiver.format(found)}{waiver.format(other)}"

    ended = online(datahub, path, text)

    assert ended.code == 2
    [line] = ended.out.splitlines()
    assert line.startswith(f"{path}:5:5: there is no incident {other} on this asset")


def test_mistakes_come_before_any_request(datahub: Sandbox, path: Path) -> None:
    assert online(datahub, path, f"inputs: ['{GONE}', x]").code == 2
    assert datahub.requests == []


def test_a_server_that_is_down_is_no_mistake_of_the_manifest(datahub: Sandbox, path: Path) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=403),))

    ended = online(datahub, path, f"inputs: ['{ORDERS}']")

    assert ended.code == 3
    assert "valid" not in ended.out


def test_without_an_address_nothing_is_checked(path: Path) -> None:
    path.write_text(f"inputs: ['{ORDERS}']")

    ended = gate("validate", "--online", str(path))

    assert ended.code == 2
    assert "datahub-url" in ended.err
