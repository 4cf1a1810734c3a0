"""Entities in the shape of the schema."""

from collections.abc import Callable, Mapping
from typing import Any

from .people_view import group_fields, ownership, user_fields
from .records import Asset
from .urn import Urn, last_part, parse_urn

Loader = Callable[[str], dict[str, Any] | None]


def entity_view(urn: Urn, asset: Asset | None, load: Loader) -> dict[str, Any]:
    """The fields of an entity, but for those that have resolvers of their own.

    A URN that was never ingested has a view as well, with everything that its key contains: real servers answer so.

    Args:
        urn: the entity.
        asset: what was ingested of it, if anything was.
        load: finds the view of an entity that this one refers to.
    """
    view: dict[str, Any] = {"__typename": urn.object_type, "urn": urn.text, "type": urn.entity_type}
    if asset is not None:
        view |= _ingested(asset, load)
    return view | _key_fields(urn, asset, load)


def _ingested(asset: Asset, load: Loader) -> dict[str, Any]:
    name = asset.title or parse_urn(asset.urn).name
    described = asset.title is not None or asset.description is not None
    return {
        "status": None if asset.removed is None else {"removed": asset.removed},
        "properties": {"name": name, "description": asset.description} if described else None,
        "ownership": ownership(asset, load),
        "tags": {"tags": lambda _info: [{"tag": load(tag)} for tag in asset.tags]} if asset.tags else None,
        "glossaryTerms": {"terms": lambda _info: [{"term": load(term)} for term in asset.terms]}
        if asset.terms
        else None,
        "domain": {"domain": lambda _info: load(asset.domains[0])} if asset.domains else None,
        "container": (lambda _info: load(asset.containers[0])) if asset.containers else None,
        "parentContainers": {
            "count": len(asset.containers),
            "containers": lambda _info: [load(container) for container in asset.containers],
        },
        "subTypes": {"typeNames": list(asset.subtypes)} if asset.subtypes else None,
        "dataPlatformInstance": (lambda _info: load(asset.platform_instance or ""))
        if asset.platform_instance
        else None,
    }


# What a restricted entity keeps of its own.
_KEPT = ("__typename", "urn", "type", "name", "jobId", "flowId", "chartId", "origin")
# Its other fields that cannot be null.
_BLANKED = ("orchestrator", "cluster", "tool", "dashboardId")


def shell(view: Mapping[str, Any], *, blank_names: bool) -> dict[str, Any]:
    """What is left of an entity that the token may not view; `blank_names` takes its name as well."""
    left = {name: view[name] for name in _KEPT if name in view}
    left |= {name: "" for name in _BLANKED if name in view}
    if "name" in left and blank_names:
        left["name"] = ""
    if "platform" in view:
        left["platform"] = lambda info: view["platform"](info) | {"name": ""}
    return left


_KeyFields = Callable[[Urn, Asset | None, Loader], dict[str, Any]]


def _key_fields(urn: Urn, asset: Asset | None, load: Loader) -> dict[str, Any]:
    fields = _BY_KIND.get(urn.kind)
    return {} if fields is None else fields(urn, asset, load)


def _named(urn: Urn, asset: Asset | None, _load: Loader) -> dict[str, Any]:
    name = urn.name if asset is None or asset.title is None else asset.title
    properties = None if asset is None else {"name": name, "description": asset.description}
    return {"name": urn.name, "hierarchicalName": urn.name, "id": urn.name, "properties": properties}


_BY_KIND: Mapping[str, _KeyFields] = {
    "dataset": lambda urn, _asset, load: {
        "name": urn.key[1],
        "platform": lambda _info: load(urn.key[0]),
        "origin": urn.key[2],
    },
    "dataJob": lambda urn, _asset, load: {"jobId": urn.key[1], "dataFlow": lambda _info: load(urn.key[0])},
    "dataFlow": lambda urn, _asset, _load: {
        "orchestrator": urn.key[0],
        "flowId": urn.key[1],
        "cluster": urn.key[2],
    },
    "dashboard": lambda urn, _asset, _load: {"tool": urn.key[0], "dashboardId": urn.key[1]},
    "chart": lambda urn, _asset, _load: {"tool": urn.key[0], "chartId": urn.key[1]},
    "schemaField": lambda urn, _asset, _load: {"fieldPath": urn.key[-1]},
    "mlModel": lambda urn, _asset, _load: {"name": urn.name},
    "mlFeature": lambda urn, _asset, _load: {"name": urn.name},
    "mlFeatureTable": lambda urn, _asset, _load: {"name": urn.name},
    "dataPlatform": lambda urn, _asset, _load: {
        "name": last_part(urn.text),
        "properties": {"displayName": last_part(urn.text)},
    },
    "dataPlatformInstance": lambda urn, _asset, load: {
        "platform": lambda _info: load(urn.key[0]),
        "instanceId": urn.key[1],
    },
    "tag": _named,
    "glossaryTerm": _named,
    "domain": _named,
    "dataProduct": _named,
    "container": lambda urn, asset, load: {
        "platform": lambda _info: load((asset and asset.platform_instance) or "urn:li:dataPlatform:unknown"),
        "properties": None if asset is None else {"name": asset.title or urn.name, "description": asset.description},
    },
    "ownershipType": lambda urn, asset, _load: {
        "info": {"name": (asset and asset.title) or last_part(urn.text).removeprefix("__system__")}
    },
    "corpuser": lambda urn, asset, _load: user_fields(urn.key[0], asset),
    "corpGroup": lambda urn, asset, _load: group_fields(urn.key[0], asset),
}
