"""An asset's raw aspects as JSON: the field `aspects`, and what REST clients read."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from .records import Asset
from .urn import Urn

# What is kept besides the key. The REST interface answers 404 where an asset has none of one.
INGESTED = frozenset({"status", "ownership", "globalTags", "glossaryTerms", "domains"})

# The fields of a type's key aspect; most others have one, `id`.
_KEY_FIELDS = {
    "dataset": ("platform", "name", "origin"),
    "dataJob": ("flow", "jobId"),
    "dataFlow": ("orchestrator", "flowId", "cluster"),
    "dashboard": ("dashboardTool", "dashboardId"),
    "chart": ("dashboardTool", "chartId"),
    "corpuser": ("username",),
    "corpGroup": ("name",),
    "tag": ("name",),
    "glossaryTerm": ("name",),
    "container": ("guid",),
    "dataPlatform": ("platformName",),
    "mlModel": ("platform", "name", "origin"),
    "mlFeature": ("featureNamespace", "name"),
    "mlFeatureTable": ("platform", "name"),
    "schemaField": ("parent", "fieldPath"),
    "dataPlatformInstance": ("platform", "instance"),
}


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
    found |= ingested_aspects(urn, asset)
    return [
        {"aspectName": name, "payload": json.dumps(payload)}
        for name, payload in found.items()
        if payload is not None and (names is None or name in names)
    ]


def ingested_aspects(urn: Urn, asset: Asset | None) -> dict[str, Any]:
    """The aspects that ingestion wrote; every URN has a key."""
    kind = "corpUser" if urn.kind == "corpuser" else urn.kind
    names = _KEY_FIELDS.get(urn.kind, ("id",) if len(urn.key) == 1 else tuple(f"part{n}" for n in range(len(urn.key))))
    key = {f"{kind}Key": dict(zip(names, urn.key, strict=True))}
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


def record_name(aspect: str) -> str:
    """The name under which the REST interface wraps one of these aspects."""
    package = "metadata.key" if aspect.endswith("Key") else "domain" if aspect == "domains" else "common"
    return f"com.linkedin.{package}.{aspect[0].upper()}{aspect[1:]}"
