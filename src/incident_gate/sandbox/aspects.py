"""The field `aspects` of an asset: raw aspects as JSON."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from .records import Asset
from .urn import Urn


def aspect_list(
    urn: Urn, asset: Asset | None, summary: Callable[[], Mapping[str, Any] | None], given: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """The aspects that are asked for.

    Args:
        urn: the asset.
        asset: what was ingested of it.
        summary: finds its `incidentsSummary`.
        given: the field's argument `input`; without names, every aspect is asked for.
    """
    given = given or {}
    if given.get("autoRenderOnly"):
        return []  # no aspect of ours is rendered by the UI without code
    names = given.get("aspectNames")
    found = {"incidentsSummary": summary()} if names is None or "incidentsSummary" in names else {}
    found |= _ingested(urn, asset)
    return [
        {"aspectName": name, "payload": json.dumps(payload)}
        for name, payload in found.items()
        if payload is not None and (names is None or name in names)
    ]


def _ingested(urn: Urn, asset: Asset | None) -> dict[str, Any]:
    key = {f"{urn.kind}Key": {"key": list(urn.key)}}
    if asset is None:
        return key
    aspects: dict[str, Any] = {
        "status": None if asset.removed is None else {"removed": asset.removed},
        "ownership": {"owners": [{"owner": owner.urn, "typeUrn": owner.type} for owner in asset.owners]},
        "globalTags": {"tags": [{"tag": tag} for tag in asset.tags]},
        "glossaryTerms": {"terms": [{"urn": term} for term in asset.terms]},
        "domains": {"domains": list(asset.domains)},
    }
    return key | {
        name: value for name, value in aspects.items() if value and any(item != [] for item in value.values())
    }
