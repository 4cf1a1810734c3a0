"""Entities, people and incidents in the shape of the schema."""

from collections.abc import Callable, Mapping
from typing import Any

from .generation import Generation
from .records import Asset, IncidentRecord, OwnerRecord, Urn, last_part, parse_urn

Loader = Callable[[str], dict[str, Any] | None]

_TYPES = ("TECHNICAL_OWNER", "BUSINESS_OWNER", "DATA_STEWARD", "NONE")


def ownership(asset: Asset, load: Loader) -> dict[str, Any] | None:
    """The owners of an asset, or None where nobody ever owned it."""
    if not asset.owners:
        return None

    def owners(_info: object) -> list[dict[str, Any]]:
        return [
            {
                "owner": load(owner.urn),
                "type": _type(owner),
                "ownershipType": load(owner.type),
                "associatedUrn": asset.urn,
            }
            for owner in asset.owners
        ]

    return {"owners": owners, "lastModified": {"time": 0, "actor": None}}


def user_fields(name: str, user: Asset | None) -> dict[str, Any]:
    """The fields of a user; one who was deleted keeps the name in the URN and has no properties."""
    fields: dict[str, Any] = {"username": name, "properties": None, "editableProperties": None}
    if user is not None:
        properties = {"active": True, "displayName": user.title, **user.profile}
        editable = dict(user.editable_profile) or None
        fields |= {"properties": properties, "info": properties, "status": "ACTIVE"}
        fields |= {"editableProperties": editable, "editableInfo": editable}
    return fields


def group_fields(name: str, group: Asset | None) -> dict[str, Any]:
    """The fields of a group."""
    fields: dict[str, Any] = {"name": name, "properties": None, "editableProperties": None}
    if group is not None:
        properties = {"displayName": group.title, "description": group.description, **group.profile}
        fields |= {"properties": properties, "info": properties}
        fields["editableProperties"] = dict(group.editable_profile) or None
    return fields


def _type(owner: OwnerRecord) -> str:
    """The fixed type that was there before types had URNs."""
    name = last_part(owner.type).removeprefix("__system__").upper()
    return name if name in _TYPES else "CUSTOM_OWNERSHIP_TYPE"


# Stored as numbers; since G3 shown as names.
_PRIORITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")


def priority_number(name: str | None) -> int | None:
    """The stored form of a priority's name."""
    return None if name is None else _PRIORITIES.index(name)


def incident_view(record: IncidentRecord, generation: Generation, load: Loader) -> dict[str, Any]:
    """The fields of an incident."""
    status = {
        "state": record.state,
        "stage": record.stage,
        "message": record.message,
        "lastUpdated": {"time": record.updated_ms, "actor": record.updated_by},
    }
    return {
        "__typename": "Incident",
        "urn": record.urn,
        "type": "INCIDENT",
        "incidentType": record.type,
        "customType": record.custom_type,
        "title": record.title,
        "description": record.description,
        "status": status,
        "incidentStatus": status,
        "priority": _shown_priority(record.priority, generation),
        "assignees": lambda _info: [load(urn) for urn in record.assignees] or None,
        "entity": lambda _info: load(record.entities[0]),
        "source": {"type": "MANUAL", "source": None},
        "startedAt": record.started_ms,
        "created": {"time": record.created_ms, "actor": record.created_by},
    }


def _shown_priority(number: int | None, generation: Generation) -> int | str | None:
    if number is None or not generation.has_stages:
        return number
    return _PRIORITIES[number] if 0 <= number < len(_PRIORITIES) else None


def entity_view(urn: Urn, asset: Asset | None, load: Loader) -> dict[str, Any]:
    """The fields of an entity, but for those that have resolvers of their own.

    A URN that was never ingested has a view as well, with everything that its key contains: real servers answer so.
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
_BLANKED = ("orchestrator", "cluster", "tool", "dashboardId", "featureNamespace", "hierarchicalName", "fieldPath")


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


def _on_platform(urn: Urn, _asset: Asset | None, load: Loader) -> dict[str, Any]:
    return {"name": urn.key[1], "platform": lambda _info: load(urn.key[0])}


def _in_namespace(urn: Urn, _asset: Asset | None, _load: Loader) -> dict[str, Any]:
    return {"featureNamespace": urn.key[0], "name": urn.key[1]}


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
    "mlModel": _on_platform,
    "mlModelGroup": _on_platform,
    "mlFeature": _in_namespace,
    "mlPrimaryKey": _in_namespace,
    "mlFeatureTable": _on_platform,
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
