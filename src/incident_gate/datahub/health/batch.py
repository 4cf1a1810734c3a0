"""The health of one batch of assets: the first answers, then what they leave open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from incident_gate.datahub.health.assertion_requests import date_failures, read_assertions
from incident_gate.datahub.health.context import Context
from incident_gate.datahub.health.existence import ask_existence
from incident_gate.datahub.health.first_answer import ask_first
from incident_gate.datahub.health.pages import ACTIVE, IN_ALL_STATES, read_pages
from incident_gate.datahub.health.partial_health import PartialHealth
from incident_gate.datahub.health.query import HealthQuery, History
from incident_gate.datahub.health.summaries import check_summaries
from incident_gate.errors import DataHubError, RefusedError, UnreachableError
from incident_gate.incident import Health


class BatchResult(NamedTuple):
    """The answers about one batch.

    `healths` is in the order of the queries, None for each without an answer; `failure` is what ended the requests,
    if something did.
    """

    healths: tuple[Health | None, ...]
    failure: DataHubError | None = None


def read_batch(context: Context, batch: Sequence[HealthQuery]) -> BatchResult:
    """Ask about one batch, in which no asset is twice.

    What was answered before a failure stands: an incident that was seen is not forgotten because a later page did not
    come.
    """
    drafts: dict[str, PartialHealth] = {}
    failure: DataHubError | None = None
    try:
        _read(context, batch, drafts)
    except (UnreachableError, RefusedError) as error:
        failure = error
    found = (drafts.get(query.urn.text) for query in batch)
    return BatchResult(tuple(draft.health() if draft else None for draft in found), failure)


def _read(context: Context, batch: Sequence[HealthQuery], drafts: dict[str, PartialHealth]) -> None:
    client = context.client
    capabilities = ask_first(context, batch, drafts)
    for query in batch:
        draft, kind = drafts[query.urn.text], query.urn.entity_type
        for listing in draft.listings:
            read_pages(client, capabilities, listing, draft.kind_of(listing, kind), ACTIVE)
        if context.depth.history is History.WHOLE:
            read_pages(client, capabilities, draft.history, kind, IN_ALL_STATES)
        for listing in draft.listings:
            read_assertions(client, capabilities, listing)
    date_failures(client, drafts.values())
    check_summaries(context, capabilities, batch, drafts)
    # Last, because an asset that is not known to exist is not healthy: what a failure on the way here leaves open stays
    # unknown.
    if capabilities.entity_exists:
        ask_existence(context, list(drafts.values()))
    if not (capabilities.entity_exists and context.server.has_entity_exists):
        for query in batch:
            fields = capabilities.assets.get(query.urn.entity_type)
            drafts[query.urn.text].has_existence = fields is not None and fields.exists
