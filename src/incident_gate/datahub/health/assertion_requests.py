"""Requests for what the first answer leaves open of assertions: their further pages, and since when they fail."""

from __future__ import annotations

from collections.abc import Iterable

from incident_gate.datahub.capabilities import Capabilities, Selection
from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import RequestFailure
from incident_gate.datahub.health.assertions import failing_since
from incident_gate.datahub.health.listing import Listing
from incident_gate.datahub.health.pages import MOST_PAGES
from incident_gate.datahub.health.partial_health import PartialHealth
from incident_gate.datahub.health.request import FIRST, Asset, Page, ask_page, chunks, execute
from incident_gate.datahub.queries import RUNS_OF_ASSERTIONS
from incident_gate.incident import AssertionResult
from incident_gate.urn import EntityType

# Assertions in one request that dates their failures.
DATED = 100

_ASSERTIONS = Selection(incidents=False, assertions=True, page=True)


def read_assertions(client: Client, capabilities: Capabilities, listing: Listing) -> None:
    """Read the further pages of a dataset's assertions, if they are read at all.

    A page that is refused is a problem of the assertions.

    Raises:
        UnreachableError: Nothing usable came in time.
        RefusedError: Token, address, proxy or certificate are wrong.
    """
    assertions = listing.assertions
    asset = Asset(EntityType.DATASET.value, listing.urn)
    for _ in range(MOST_PAGES):
        if assertions is None or assertions.problem or not assertions.incomplete:
            return
        try:
            element = ask_page(client, capabilities, asset, _ASSERTIONS, Page(assertions.reached))
        except RequestFailure as failure:
            assertions.fail(f"DataHub does not list its assertions: {failure.message}")
            return
        value = element.value.get(_ASSERTIONS.list_name) if isinstance(element.value, dict) else None
        if not assertions.add(value, size=FIRST.size):
            return


def date_failures(client: Client, drafts: Iterable[PartialHealth]) -> None:
    """Ask since when assertions fail; where the server does not answer, the last failure is all that is known.

    Raises:
        UnreachableError: Nothing usable came in time.
        RefusedError: Token, address, proxy or certificate are wrong.
    """
    failing = [
        (assertions, urn)
        for draft in drafts
        for assertions in draft.assertion_lists
        for urn, assertion in assertions.found.items()
        if assertion.result is AssertionResult.FAILURE
    ]
    for chunk in chunks(failing, DATED):
        urns = list(dict.fromkeys(urn for _, urn in chunk))
        try:
            entities = execute(client, RUNS_OF_ASSERTIONS, len(urns), {"urns": urns}).data.get("entities")
        except RequestFailure:
            return
        shown = entities if isinstance(entities, list) else ()
        runs = {e["urn"]: e.get("runEvents") for e in shown if isinstance(e, dict) and isinstance(e.get("urn"), str)}
        for assertions, urn in chunk:
            assertions.found[urn] = failing_since(assertions.found[urn], runs.get(urn))
