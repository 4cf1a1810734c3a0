"""One step along the lineage, which shows what was never ingested, and what the token may see of an entity."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from .call import Call
from .entity_view import Loader
from .faults import FaultKind
from .paging import window
from .policy import may_view
from .records import Asset
from .urn import Urn, parse_urn

View = dict[str, Any]

_DEFAULT_PAGE = 100


def relations(call: Call, urn: Urn, linked: Loader, given: Mapping[str, Any]) -> View:
    """The field `lineage` of an entity: what is one step away from it in the graph index.

    Without `separateSiblings` the edges of siblings count as well: those between them are dropped, as are those to
    what is there already, and `total` is the sum all the same.
    """
    store, faults = call.store, call.faults
    siblings = store.siblings([urn.text]).get(urn.text)
    others = siblings.urns if siblings and not given.get("separateSiblings") else ()
    edges = store.neighbours([urn.text, *others], downstream=given["direction"] == "DOWNSTREAM")
    ends = [end for source in (urn.text, *others) for end in edges.get(source, ())]
    start, size = window(call, given, _DEFAULT_PAGE, faults.search_page_limit)
    page = ends[start : start + size]
    known = {document.urn: document for document in store.documents()} | store.assets(page)
    existing = store.assets(page)
    shown: dict[str, View] = {}
    for end in page:
        is_ghost = end not in existing or existing[end].removed
        if others and (end in {urn.text, *others} or end in shown):
            continue
        # Before 0.15 nothing leaves them out.
        if is_ghost and call.generation.schema_version >= (0, 15) and not given.get("includeGhostEntities"):
            continue
        document = known.get(end) or Asset(urn=end)
        hidden = is_restricted(call, document) and leaves_out_restricted(call)
        if hidden or not call.grant.may_see(end) or call.strike.about(end, FaultKind.LOST_RESULT):
            continue
        shown[end] = {"type": "DownstreamOf", "entity": result_entity(call, linked, document), "degree": 1}
    return {
        "start": start,
        "count": size,
        "total": len(ends),
        "filtered": len(page) - len(shown),
        "relationships": list(shown.values()),
    }


def is_restricted(call: Call, document: Asset) -> bool:
    """Whether no view policy lets the token view an entity."""
    return not may_view(call.grant.views, parse_urn(document.urn), document)


def leaves_out_restricted(call: Call) -> bool:
    """Whether results leave out what the token may not view, instead of naming it RESTRICTED."""
    return call.faults.restricted_left_out or call.generation.schema_version < (0, 13, 3)


def result_entity(call: Call, linked: Loader, document: Asset) -> View | None:
    """An entity among the results; one that the token may not view has neither its type nor its URN."""
    if not is_restricted(call, document):
        return linked(document.urn)
    secret = base64.urlsafe_b64encode(hashlib.sha256(document.urn.encode()).digest()).decode().rstrip("=")
    return {"__typename": "Restricted", "urn": f"urn:li:restricted:{secret}", "type": "RESTRICTED"}
