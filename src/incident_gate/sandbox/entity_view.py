"""Entities in the shape of the schema: what can be told from a URN alone, and what was ingested."""

from collections.abc import Callable, Mapping
from typing import Any

from .records import Asset
from .urn import Urn, last_part

Loader = Callable[[str], dict[str, Any] | None]


def entity_view(urn: Urn, asset: Asset | None, load: Loader) -> dict[str, Any]:
    """The fields of an entity, incidents aside.

    A URN that was never ingested has a view as well, with everything that its key says: that is what servers do.

    Args:
        urn: the entity.
        asset: what was ingested of it, if anything was.
        load: finds the view of an entity that this one refers to.
    """
    view: dict[str, Any] = {
        "__typename": urn.object_type,
        "urn": urn.text,
        "type": urn.entity_type,
        "status": None if asset is None or asset.removed is None else {"removed": asset.removed},
        "properties": None if asset is None or asset.title is None else {"name": asset.title, "description": None},
        "ownership": None,
    }
    if asset is not None and asset.owners:
        owners = asset.owners
        view["ownership"] = {
            "owners": lambda _info: [{"owner": load(owner.urn)} for owner in owners],
            "lastModified": {"time": 0, "actor": None},
        }
    view.update(_key_fields(urn, asset, load))
    return view


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


def _key_fields(  # noqa: C901, PLR0911 - a table of types
    urn: Urn, asset: Asset | None, load: Loader
) -> dict[str, Any]:
    key = urn.key
    match urn.kind:
        case "dataset":
            return {"name": key[1], "platform": lambda _info: load(key[0]), "origin": key[2]}
        case "dataJob":
            return {"jobId": key[1], "dataFlow": lambda _info: load(key[0])}
        case "dataFlow":
            return {"orchestrator": key[0], "flowId": key[1], "cluster": key[2]}
        case "dashboard":
            return {"tool": key[0], "dashboardId": key[1]}
        case "chart":
            return {"tool": key[0], "chartId": key[1]}
        case "schemaField":
            return {"fieldPath": key[-1]}
        case "mlModel" | "mlFeature" | "mlFeatureTable":
            return {"name": key[1] if len(key) > 1 else key[0]}
        case "dataPlatform":
            return {"name": last_part(urn.text)}
        case "corpuser":
            return {"username": key[0], "properties": _person(key[0], asset)}
        case "corpGroup":
            return {"name": key[0], "properties": _group(key[0], asset)}
        case _:
            return {}


def _person(name: str, asset: Asset | None) -> dict[str, Any] | None:
    if asset is None:
        return None
    return {"active": True, "displayName": asset.title or name, "email": f"{name}@example.com"}


def _group(name: str, asset: Asset | None) -> dict[str, Any] | None:
    if asset is None:
        return None
    return {"displayName": asset.title or name, "email": f"{name}@example.com", "slack": f"#{name}"}
