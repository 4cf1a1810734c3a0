"""The URNs of a dbt project's nodes, exactly as DataHub's own ingestion of the same file makes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from incident_gate.select.dbt import DbtNode, DbtProject, NodeKind

_DBT = "dbt"
_DATASET = "urn:li:dataset:"
_PLATFORM = "urn:li:dataPlatform:"
_RESERVED = ",()␟"  # the separators of DataHub's URNs: the only characters that its ingestion encodes


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtRecipe:
    """The options of DataHub's dbt ingestion that decide about URNs, with its names and defaults.

    `convert_urns_to_lowercase` has three states: None lowers the table's name and leaves platform instances alone, True
    lowers everything, False nothing.
    """

    target_platform: str
    target_platform_instance: str | None = None
    platform_instance: str | None = None
    env: str = "PROD"
    convert_urns_to_lowercase: bool | None = None
    include_database_name: bool = True
    use_identifiers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUrns:
    """One node's URNs.

    `warehouse` is None for what exists in dbt only. `warehouse_other_case` is a source's table in the other case, as
    written or lower: its URN comes from the warehouse's own ingestion, which has rules of its own. None where it is the
    same.
    """

    dbt: str
    warehouse: str | None = None
    warehouse_other_case: str | None = None

    @property
    def all(self) -> tuple[str, ...]:
        """Every URN that the node may have in DataHub."""
        return tuple(filter(None, (self.dbt, self.warehouse, self.warehouse_other_case)))


def dataset_urns(project: DbtProject, recipe: DbtRecipe) -> dict[str, NodeUrns]:
    """The URNs of every node that DataHub ingests, by unique id.

    A source with the very name of a model is left out: DataHub drops it in favour of the model.
    """
    models = {
        _name(node, recipe) for node in project.nodes.values() if node.kind is NodeKind.MODEL and not node.is_ephemeral
    }
    return {
        unique_id: _urns(node, recipe)
        for unique_id, node in project.nodes.items()
        if not (node.kind is NodeKind.SOURCE and _name(node, recipe) in models)
    }


def by_urn(urns: Mapping[str, NodeUrns]) -> dict[str, tuple[str, ...]]:
    """The unique ids behind each URN, for results that name datasets: two nodes can share one."""
    found: dict[str, list[str]] = {}
    for unique_id, node in urns.items():
        for urn in node.all:
            found.setdefault(urn, []).append(unique_id)
    return {urn: tuple(ids) for urn, ids in found.items()}


def _urns(node: DbtNode, recipe: DbtRecipe) -> NodeUrns:
    name = _name(node, recipe)
    dbt = _urn(_DBT, recipe.platform_instance, name, recipe)
    if node.is_ephemeral or node.kind is NodeKind.SEMANTIC_MODEL:
        return NodeUrns(dbt=dbt)
    instance = recipe.target_platform_instance
    named = _urn(recipe.target_platform, instance, name, recipe)
    if node.kind is not NodeKind.SOURCE:
        return NodeUrns(dbt=dbt, warehouse=named)
    # DataHub only names this one in lineage. The warehouse's own ingestion emits it: Snowflake's in lower case,
    # BigQuery's as it is.
    written, lower = (_urn_of(recipe.target_platform, _joined((instance, n)), recipe) for n in (name, name.lower()))
    other = next((urn for urn in (written, lower) if urn != named), None)
    return NodeUrns(dbt=dbt, warehouse=named, warehouse_other_case=other)


def _name(node: DbtNode, recipe: DbtRecipe) -> str:
    if node.kind is NodeKind.SEMANTIC_MODEL:
        return node.unique_id
    name = node.alias if node.alias is not None else node.name
    if node.alias is None and recipe.use_identifiers and node.identifier:
        name = node.identifier
    database = node.database if recipe.include_database_name else None
    return _joined((database, node.schema, name)).replace('"', "")


def _joined(parts: Iterable[str | None]) -> str:
    return ".".join(part for part in parts if part)


def _urn(platform: str, instance: str | None, name: str, recipe: DbtRecipe) -> str:
    if recipe.convert_urns_to_lowercase is None:
        name = name.lower()
    name = _joined((instance, name))
    return _urn_of(platform, name, recipe, lower=recipe.convert_urns_to_lowercase is True)


def _urn_of(platform: str, name: str, recipe: DbtRecipe, *, lower: bool = False) -> str:
    encoded = "".join(quote(character) if character in _RESERVED else character for character in name)
    # Lowering comes after encoding in DataHub as well: "%2C" becomes "%2c".
    if lower:
        encoded = encoded.lower()
    return f"{_DATASET}({_PLATFORM}{platform.removeprefix(_PLATFORM)},{encoded},{recipe.env.upper()})"
