"""The gate as both faces run it, against a server that a test arranged."""

import os
from collections.abc import Callable
from datetime import date

from incident_gate.api import check as check_manifest
from incident_gate.api import connect
from incident_gate.datahub.client import RequestLog
from incident_gate.gate.policy import Decision
from incident_gate.manifest.load import load_manifest
from incident_gate.report.model import Report
from incident_gate.sandbox import Sandbox
from incident_gate.settings.options import Mode
from incident_gate.settings.read import read_settings

TABLE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,shop.{},PROD)"


def tables(number: int) -> list[str]:
    """URNs of that many datasets."""
    return [TABLE.format(f"t{place:05}") for place in range(number)]


def check(
    server: Sandbox | str,
    *urns: str,
    manifest: str = "",
    on_request: Callable[[RequestLog], None] | None = None,
    **options: str,
) -> Report:
    """Gate assets, each an input of its own, or the inputs of a manifest's text."""
    if not manifest:
        manifest = "".join(f'- "{urn}"\n' for urn in urns)
    given = {"datahub-url": server, "datahub-token": "sandbox-token"} if isinstance(server, str) else {}
    if isinstance(server, Sandbox):
        given = {"datahub-url": server.url, "datahub-token": server.token}
    given |= {name.replace("_", "-"): value for name, value in options.items()}
    given.setdefault("timeout", "100")
    # The names first, in one step: pytest changes a variable while threads of a test are here.
    names = [name for name in list(os.environ) if name.lower().endswith("_proxy") or "SSL_CERT" in name]
    network = {name: os.environ[name] for name in names}
    settings = read_settings(lambda name: given.get(name, ""), network, mode=Mode.GATE)
    loaded = load_manifest("gate.yml", manifest.encode(), date(2026, 12, 1))
    with connect(settings, on_request) as client:
        return check_manifest(settings, loaded, client)


def only(result: Report) -> Decision:
    """The decision on the only input."""
    [decision] = result.decisions
    return decision


def verdicts(result: Report) -> list[str]:
    """One word for each input."""
    return [decision.verdict.value for decision in result.decisions]


def reasons(decision: Decision) -> list[str]:
    """Why it is unknown."""
    return [problem.reason.value for problem in decision.problems]
