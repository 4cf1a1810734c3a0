"""Checking the incidents that an asset's summary names as active and that its list lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from incident_gate.datahub import queries
from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.failure import RequestFailure
from incident_gate.datahub.health.context import Context
from incident_gate.datahub.health.first_answer import ask_health
from incident_gate.datahub.health.listing import Listing
from incident_gate.datahub.health.pages import IN_ALL_STATES, read_pages
from incident_gate.datahub.health.partial_health import PartialHealth
from incident_gate.datahub.health.query import HealthQuery
from incident_gate.datahub.health.request import FIRST, chunks, execute

# Seconds: index and hook lag separately, so a moment's disagreement of list and summary means nothing.
SECOND_LOOK = 2.0
# Incidents in one request.
CHECKED = 40


class _Claim(NamedTuple):
    """An incident that the summary of a list's asset names; `kind` is the asset's."""

    kind: str
    listing: Listing
    urn: str


def check_summaries(
    context: Context, capabilities: Capabilities, batch: Sequence[HealthQuery], drafts: Mapping[str, PartialHealth]
) -> None:
    """Check what is doubtful; twice, because list and summary both lag. What stays doubtful is unknown to a gate.

    An outcome goes by its own incidents, and looks again by itself: with a history there is no second look.

    Args:
        context: What reading takes.
        capabilities: What the server understands.
        batch: The assets.
        drafts: The answers so far, by URN; those that are in doubt are completed.

    Raises:
        UnreachableError: Nothing usable came in time.
        RefusedError: Token, address, proxy or certificate are wrong.
    """
    deadline = context.client.deadline
    for is_second in (False,) if context.has_history else (False, True):
        doubted = [query for query in batch if any(each.doubtful for each in drafts[query.urn.text].listings)]
        if not doubted or deadline.passed:
            return
        try:
            if is_second:
                context.sleep(min(SECOND_LOOK, deadline.remaining))
                for urn, later in ask_health(context, capabilities, doubted).items():
                    drafts[urn].renew(later)
            claims = [
                _Claim(drafts[query.urn.text].kind_of(listing, query.urn.entity_type), listing, urn)
                for query in doubted
                for listing in drafts[query.urn.text].listings
                for urn in listing.doubtful
            ]
            for chunk in chunks(claims, CHECKED):
                _verify(context, capabilities, chunk)
        except RequestFailure:
            continue  # then they stay unknown


def _verify(context: Context, capabilities: Capabilities, claims: Sequence[_Claim]) -> None:
    """Ask the primary store, which answers on Cloud, and the lists in all states, which answer on open source."""
    histories = {claim.listing.urn: (claim.kind, Listing(claim.listing.urn, claim.listing.redact)) for claim in claims}
    kinds = {kind for kind, _ in histories.values()}
    operation = queries.incidents_by_urn(capabilities, len(claims), kinds, details=context.has_history)
    variables = {"urns": list(histories), **FIRST.variables}
    singles = {f"u{place}": claim.urn for place, claim in enumerate(claims)}
    data = execute(context.client, operation, len(claims), {**variables, **singles}).data
    for place, claim in enumerate(claims):
        claim.listing.verify(claim.urn, data.get(f"a{place}"))
    entities = data.get("entities")
    for entity in entities if isinstance(entities, list) else ():
        asset = entity.get("urn") if isinstance(entity, dict) else None
        if isinstance(asset, str) and asset in histories and entity.get("history") is not None:
            kind, history = histories[asset]
            history.add(entity["history"], size=FIRST.size)
            # A server that was not asked for its schema may lack the details.
            read_pages(context.client, capabilities, history, kind, IN_ALL_STATES._replace(details=context.has_history))
    for listing in (claim.listing for claim in claims):
        _, history = histories[listing.urn]
        # To a gate, those count as well that the summary does not name. An outcome reads the history anyway.
        seen = listing.doubtful if context.has_history else history.active.keys() - listing.active.keys()
        listing.unlisted |= {urn: history.active[urn] for urn in seen if urn in history.active}
        listing.over |= history.resolved.keys() & listing.doubtful.keys()
