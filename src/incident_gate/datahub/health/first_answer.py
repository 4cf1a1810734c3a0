"""The first answers about a batch: every asset once, in the form that the server accepts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from incident_gate.datahub.bisection import bisect
from incident_gate.datahub.capabilities import Capabilities, Selection
from incident_gate.datahub.failure import RequestFailure
from incident_gate.datahub.health.answer import read_element
from incident_gate.datahub.health.context import Context
from incident_gate.datahub.health.partial_health import PartialHealth
from incident_gate.datahub.health.query import HealthQuery
from incident_gate.datahub.health.request import FIRST, Asset, ask, chunks
from incident_gate.incident import Reason
from incident_gate.urn import EntityType

# Aliased fields in one request: each field costs complexity, of which servers allow 2,000, and an asset has about
# thirty.
ALIASES = 40


def ask_first(context: Context, batch: Sequence[HealthQuery], drafts: dict[str, PartialHealth]) -> Capabilities:
    """Ask about all assets of a batch.

    A server that refuses the query as such is asked in another form, until it accepts one.

    Args:
        context: What reading takes; its `server` learns from refusals.
        batch: The assets, none of them twice.
        drafts: Receives the answers by URN. They stay there if an error is raised.

    Returns:
        What the server understands: the form in which it has answered.

    Raises:
        UnreachableError: The server fails on everything, or nothing usable came in time.
        RefusedError: It refuses everything, or token, address, proxy or certificate are wrong.
    """
    while True:
        capabilities = context.server.discovery.known
        # Nothing of an earlier form counts: the server refused it.
        drafts.clear()
        try:
            _ask_in_form(capabilities, context, batch, drafts)
        except RequestFailure as failure:
            context.server.discovery.learn(capabilities, failure)
        else:
            return capabilities


def _ask_in_form(
    capabilities: Capabilities, context: Context, batch: Sequence[HealthQuery], drafts: dict[str, PartialHealth]
) -> None:
    """Ask in one form; a `RequestFailure` is the refusal of the form."""

    def add(query: HealthQuery) -> PartialHealth:
        draft = drafts[query.urn.text] = PartialHealth(query.urn.text, context.client.redact)
        return draft

    for part in _parts(capabilities, batch):
        bisect(
            part,
            lambda some: drafts.update(ask_health(context, capabilities, some)),
            refused=lambda query, failure: add(query).refused(failure),
            refusals=context.server.refusals,
        )
    for query in batch:
        if query.urn.text in drafts:
            continue
        draft = add(query)
        if not query.existence_only:  # else `entityExists` answers
            message = f"This DataHub does not track incidents on a {query.urn.entity_type}"
            draft.problem(Reason.NO_INCIDENTS_FIELD, message, "Take it out of the manifest.")


def ask_health(
    context: Context, capabilities: Capabilities, queries: Sequence[HealthQuery]
) -> dict[str, PartialHealth]:
    """Ask about some assets in one request.

    Returns:
        What the answer shows of each, by URN.

    Raises:
        RequestFailure: The server refuses the request, or the answer is not about these assets.
        UnreachableError: Nothing usable came in time.
        RefusedError: Token, address, proxy or certificate are wrong.
    """
    groups: dict[Selection, list[HealthQuery]] = {}
    for query in queries:
        groups.setdefault(_selection(query, context), []).append(query)
    elements = ask(
        context.client,
        capabilities,
        {
            selection: [Asset(query.urn.entity_type.value, query.urn.text) for query in alike]
            for selection, alike in groups.items()
        },
    )
    drafts: dict[str, PartialHealth] = {}
    for selection, alike in groups.items():
        names = {
            kind: capabilities.assets[kind].names(selection) for kind in {query.urn.entity_type for query in alike}
        }
        for query, element in zip(alike, elements[selection], strict=True):
            asked = names[query.urn.entity_type]
            draft = read_element(query.urn.text, element, asked=asked, size=FIRST.size, redact=context.client.redact)
            if query.assertions and query.urn.entity_type is EntityType.DATASET and "assertions" not in asked:
                draft.own.add_assertions({}, size=FIRST.size)
            drafts[query.urn.text] = draft
    return drafts


def _selection(query: HealthQuery, context: Context) -> Selection:
    if query.existence_only:
        return Selection(incidents=False)
    return Selection(
        siblings=query.siblings,
        history=context.has_history,
        assertions=query.assertions,
        summary=context.depth.summaries,
    )


def _parts(capabilities: Capabilities, batch: Sequence[HealthQuery]) -> Iterator[Sequence[HealthQuery]]:
    """What can be asked together: all that the server knows where it has `entities`, else a few of a kind."""
    known = [query for query in batch if _can_be_asked(capabilities, query)]
    if capabilities.entities:
        if known:
            yield known
        return
    kinds = dict.fromkeys((query.urn.entity_type, query[1:]) for query in known)
    for kind in kinds:
        alike = [query for query in known if (query.urn.entity_type, query[1:]) == kind]
        yield from chunks(alike, ALIASES)


def _can_be_asked(capabilities: Capabilities, query: HealthQuery) -> bool:
    fields = capabilities.assets.get(query.urn.entity_type)
    if fields is None:
        return False
    return fields.exists or fields.removed if query.existence_only else fields.incidents
