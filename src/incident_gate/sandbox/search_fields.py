"""The fields of a document in the search index."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from .generation import Generation
from .records import Asset
from .urn import parse_urn


def values_of(
    asset: Asset, field: str, generation: Generation, marked: Mapping[str, AbstractSet[str]]
) -> tuple[str, ...]:
    """The values that a document has in a field; none where the server's index lacks the field.

    Args:
        asset: the document.
        field: the field's name.
        generation: the server's.
        marked: URNs of the assets that a hook has marked, by the field of the mark, as `hasActiveIncidents`.
    """
    if generation.schema_version < _SINCE.get(field, (0,)):
        return ()
    if field in marked:
        return ("true",) if asset.urn in marked[field] else ("false",)
    # In a filter, a text field has its exact values under this name as well.
    field = field.removesuffix(".keyword")
    urn = parse_urn(asset.urn)
    platform = next((part for part in urn.key if part.startswith("urn:li:dataPlatform:")), None)
    values = {
        "urn": (asset.urn,),
        "_entityType": (urn.entity_type or "",),
        "name": (asset.title or urn.name,),
        "platform": (platform,) if platform else (),
        "origin": urn.key[2:3] if urn.kind in {"dataset", "mlModel", "dataFlow"} else (),
        "removed": () if asset.removed is None else (str(asset.removed).lower(),),
        "tags": asset.tags,
        "glossaryTerms": asset.terms,
        "domains": asset.domains,
        "owners": tuple(owner.urn for owner in asset.owners),
        "container": asset.containers[:1],
        # The path from the outermost container down, which is what finds nested ones.
        "browsePathV2": asset.containers[::-1],
        "dataProducts": asset.data_products,
        "entity": (asset.profile["entity"],) if urn.kind == "assertion" else (),
        "assertionType": (asset.profile["type"],) if urn.kind == "assertion" else (),
        "typeNames": asset.subtypes,
        "platformInstance": (asset.platform_instance,) if asset.platform_instance else (),
    }
    return values.get(field, ())


_SINCE = {
    "browsePathV2": (0, 10, 4),
    "hasActiveIncidents": (0, 13),
    "hasFailingAssertions": (0, 13),
    "dataProducts": (1, 0),
}
