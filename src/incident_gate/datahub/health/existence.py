"""Asking whether assets exist, where their own fields do not show it."""

from __future__ import annotations

from collections.abc import Sequence

from incident_gate.datahub.bisection import bisect
from incident_gate.datahub.failure import RequestFailure
from incident_gate.datahub.health.context import Context
from incident_gate.datahub.health.partial_health import PartialHealth
from incident_gate.datahub.health.request import ask_each, chunks
from incident_gate.datahub.queries import existence_of_each

# Aliased fields in one request: each costs one of the 2,000 that servers allow.
EXISTENCE_ALIASES = 500


def ask_existence(context: Context, drafts: Sequence[PartialHealth]) -> None:
    """Ask what is still open, and whether an asset that may not exist exists in lower case.

    Args:
        context: What reading takes; its `server` remembers that the query is refused.
        drafts: The answers so far, which are completed. What is refused stays open, which is a problem of its own.

    Raises:
        UnreachableError: The server fails on everything, or nothing usable came in time.
        RefusedError: It refuses everything, or token, address, proxy or certificate are wrong.
    """
    absent = [draft for draft in drafts if not draft.exists and not draft.problems]
    questions = [(draft, draft.urn) for draft in absent if draft.exists is None]
    known = {draft.urn for draft in drafts}
    questions += [(draft, twin) for draft in absent if (twin := lower_case(draft.urn)) and twin not in known]

    def answer(part: Sequence[tuple[PartialHealth, str]]) -> None:
        elements = ask_each(context.client, existence_of_each(len(part)), [urn for _, urn in part])
        for (draft, urn), element in zip(part, elements, strict=True):
            exists = element.value if isinstance(element.value, bool) and not element.errors else None
            if urn == draft.urn:
                draft.exists = exists
            elif exists:
                draft.twin = urn

    server = context.server
    for chunk in chunks(questions, EXISTENCE_ALIASES):
        if not server.has_entity_exists:
            return
        try:
            bisect(chunk, answer, refused=lambda _question, _failure: None, refusals=server.refusals)
        except RequestFailure:
            server.has_entity_exists = False


def lower_case(urn: str) -> str:
    """A dataset's URN with its name in lower case; empty where there is nothing to change."""
    start, end = urn.find(",") + 1, urn.rfind(",")
    if not urn.startswith("urn:li:dataset:(") or not 0 < start < end:
        return ""
    lowered = f"{urn[:start]}{urn[start:end].lower()}{urn[end:]}"
    return "" if lowered == urn else lowered
