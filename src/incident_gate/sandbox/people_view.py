"""Owners in the shape of the schema: users and groups."""

from collections.abc import Callable
from typing import Any

from .records import Asset, OwnerRecord
from .urn import last_part

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
