"""The URNs of a dbt project's nodes, exactly as DataHub's own ingestion of the same file makes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from incident_gate.dbt.project import DbtNode, DbtProject, NodeKind

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

    def urns_of(self, node: DbtNode) -> NodeUrns:
        """The URNs of a node."""
        name = self._name(node)
        dbt = self._urn(_DBT, self.platform_instance, name)
        if node.is_ephemeral or node.kind is NodeKind.SEMANTIC_MODEL:
            return NodeUrns(dbt)
        instance = self.target_platform_instance
        named = self._urn(self.target_platform, instance, name)
        if node.kind is not NodeKind.SOURCE:
            return NodeUrns(dbt, named)
        # DataHub only names this one in lineage. The warehouse's own ingestion emits it: Snowflake's in lower case,
        # BigQuery's as it is.
        both = (self._text(self.target_platform, _joined((instance, n))) for n in (name, name.lower()))
        return NodeUrns(dbt, named, next((urn for urn in both if urn != named), None))

    def not_ingested(self, project: DbtProject) -> frozenset[str]:
        """The sources with the very name of a model: DataHub drops them in favour of the model."""
        nodes = project.nodes.values()
        models = {self._name(node) for node in nodes if node.kind is NodeKind.MODEL and not node.is_ephemeral}
        sources = (node for node in nodes if node.kind is NodeKind.SOURCE)
        return frozenset(node.unique_id for node in sources if self._name(node) in models)

    def _name(self, node: DbtNode) -> str:
        if node.kind is NodeKind.SEMANTIC_MODEL:
            return node.unique_id
        name = node.alias if node.alias is not None else node.name
        if node.alias is None and self.use_identifiers and node.identifier:
            name = node.identifier
        database = node.database if self.include_database_name else None
        return _joined((database, node.schema, name)).replace('"', "")

    def _urn(self, platform: str, instance: str | None, name: str) -> str:
        if self.convert_urns_to_lowercase is None:
            name = name.lower()
        return self._text(platform, _joined((instance, name)), lower=self.convert_urns_to_lowercase is True)

    def _text(self, platform: str, name: str, *, lower: bool = False) -> str:
        encoded = "".join(quote(character) if character in _RESERVED else character for character in name)
        # Lowering comes after encoding in DataHub as well: "%2C" becomes "%2c".
        encoded = encoded.lower() if lower else encoded
        return f"{_DATASET}({_PLATFORM}{platform.removeprefix(_PLATFORM)},{encoded},{self.env.upper()})"


class NodeUrns(NamedTuple):
    """One node's URNs.

    `warehouse` is None for what exists in dbt only. `warehouse_other_case` is a source's table in the other case, as
    written or lower: its URN comes from the warehouse's own ingestion, which has rules of its own. None where it is the
    same.
    """

    dbt: str
    warehouse: str | None = None
    warehouse_other_case: str | None = None


def _joined(parts: Iterable[str | None]) -> str:
    return ".".join(part for part in parts if part)
