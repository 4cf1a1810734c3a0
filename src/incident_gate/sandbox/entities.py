"""Queries for entities, as far as the token may view them, and their raw aspects."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .failure import UNAUTHORIZED, Code, ResolverError
from .faults import FaultKind
from .listings import assertion_health, assertion_list, assertion_view, incident_health, incident_list, operation_list
from .records import Asset, Urn
from .request import Call, may_view, requested_urn
from .results import relations
from .store import Rows
from .views import entity_view, incident_view, shell

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
    """The aspects that are asked for."""
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


_OBJECT_FIELDS = {
    "dataset": "dataset",
    "dataJob": "dataJob",
    "dataFlow": "dataFlow",
    "dashboard": "dashboard",
    "chart": "chart",
    "corpUser": "corpuser",
    "corpGroup": "corpGroup",
    "mlModel": "mlModel",
    "mlFeature": "mlFeature",
    "mlFeatureTable": "mlFeatureTable",
    "mlModelGroup": "mlModelGroup",
    "mlPrimaryKey": "mlPrimaryKey",
    "assertion": "assertion",
    "tag": "tag",
    "glossaryTerm": "glossaryTerm",
    "domain": "domain",
    "container": "container",
    "dataProduct": "dataProduct",
}

View = dict[str, Any]


class Entities:
    """The entities that one request reads."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._rows = Rows(call.store)

    def fields(self) -> View:
        """The resolvers of Query, searches aside."""
        singles = {name: self._single(kind) for name, kind in _OBJECT_FIELDS.items()}
        return singles | {
            "entity": lambda _info, urn: self.entity(requested_urn(urn)),
            "entities": self._entities,
            "entityExists": lambda _info, urn: self.exists(urn),
            "getGrantedPrivileges": lambda _info, input: self._privileges(input),  # noqa: A006 - the schema's name
            "me": lambda _info: {"corpUser": self.entity(requested_urn(self._call.grant.actor))},
            "appConfig": {"appVersion": self._call.generation.version},
        }

    def entities(self, urns: Sequence[str], *, existing: bool | None = None) -> list[View | None]:
        """The views of many entities; with `existing`, null for one that was never ingested."""
        parsed = [requested_urn(urn) for urn in urns]
        if self._call.faults.unmapped_throws and not all(map(self._is_mapped, parsed)):
            raise ResolverError(f"Failed to retrieve entities of {len(urns)} URNs: java.lang.NullPointerException")
        self._rows.load(urns)
        return [None if existing and not self._exists(urn) else self.entity(urn) for urn in parsed]

    def entity(self, urn: Urn) -> View | None:
        """The view of one entity, which needs not exist; null if its type is not mapped."""
        if not self._is_mapped(urn):
            return None
        strike = self._call.strike
        if strike.about(urn.text, FaultKind.THROW):
            raise ResolverError(f"Failed to load entity {urn.text}")
        if strike.about(urn.text, FaultKind.NULL_ELEMENT) or not self._call.grant.may_see(urn.text):
            return None
        if urn.kind == "incident":
            record = self._rows.incident(urn.text)
            return None if record is None else incident_view(record, self._call.generation, self.linked)
        if urn.kind == "assertion":
            assertion = self._rows.assertion(urn.text)
            return None if assertion is None else assertion_view(self._call, self._rows, assertion, self.linked)
        asset, siblings = self._rows.asset(urn.text), self._rows.siblings(urn.text)
        view = entity_view(urn, asset, self.linked)
        if siblings is not None:
            view["siblings"] = {
                "isPrimary": siblings.is_primary,
                "siblings": lambda _info: [self.linked(sibling) for sibling in siblings.urns],
            }
        if not may_view(self._call.grant.views, urn, asset):
            view = shell(view, blank_names=self._call.faults.blank_names)
        return view | self._resolved(urn)

    def _resolved(self, urn: Urn) -> View:
        """Fields with resolvers of their own, which answer for what the token may not view as well."""
        return {
            "exists": lambda _info: self._exists(urn),
            "aspects": lambda _info, input=None: self._aspects(urn, input),  # noqa: A006 - the schema's name
            "incidents": lambda _info, **given: incident_list(self._call, self._rows, urn, self.linked, **given),
            "assertions": lambda _info, **given: assertion_list(self._call, self._rows, urn.text, self.linked, given),
            "lineage": lambda _info, input: relations(self._call, urn, self.linked, input),  # noqa: A006
            "operations": lambda _info, **given: operation_list(self._call.store.operations(urn.text), given),
            "health": lambda _info: self._health(urn),
            "privileges": {"canEditIncidents": self._call.grant.may_edit(urn.text)},
        }

    def _is_mapped(self, urn: Urn) -> bool:
        """Whether the server finds an entity by this URN; open-source DataHub maps no incidents."""
        generation = self._call.generation
        return urn.is_mapped(generation.schema_version) and (urn.kind != "incident" or generation.is_cloud)

    def linked(self, urn: str) -> View | None:
        """The view of an entity that another one refers to."""
        return self.entity(requested_urn(urn))

    def exists(self, text: str) -> bool | None:
        """Whether an entity was ingested; open source makes no access check."""
        urn = requested_urn(text)
        grant = self._call.grant
        visible = grant.may_see(urn.text) and may_view(grant.views, urn, self._rows.asset(urn.text))
        if self._call.generation.is_cloud and not visible:
            raise ResolverError(UNAUTHORIZED, Code.UNAUTHORIZED)
        return self._exists(urn)

    def load(self, urns: Iterable[str]) -> None:
        """Load what will be asked for next, at once."""
        self._rows.load(urns)

    def _exists(self, urn: Urn) -> bool | None:
        if self._call.strike.about(urn.text, FaultKind.NULL_EXISTS):
            return None
        if urn.kind == "incident":
            return self._rows.incident(urn.text) is not None
        return self._rows.asset(urn.text) is not None

    def _aspects(self, urn: Urn, given: Mapping[str, Any] | None) -> list[View]:
        def summary() -> Mapping[str, Any] | None:
            return self._rows.summary(urn.text, old_form=self._call.faults.old_summaries)

        return aspect_list(urn, self._rows.asset(urn.text), summary, given)

    def _single(self, kind: str) -> Any:
        def resolve(_info: object, urn: str) -> View | None:
            parsed = requested_urn(urn)
            if parsed.kind != kind:
                raise ResolverError(f"Failed to load entity by key {urn}: expected a URN of type {kind}")
            return self.entity(parsed)

        return resolve

    def _entities(
        self,
        _info: object,
        urns: Sequence[str],
        checkForExistence: bool | None = None,  # noqa: FBT001, N803 - the schema's name
    ) -> list[View | None]:
        return self.entities(urns, existing=checkForExistence)

    def _privileges(self, given: Mapping[str, Any]) -> View:
        grant = self._call.grant
        if given["actorUrn"] != grant.actor and not grant.manages_policies:
            raise ResolverError(UNAUTHORIZED, Code.UNAUTHORIZED)
        if given.get("resourceSpec") is None:
            return {"privileges": grant.privileges(None, may_view=False)}
        urn = requested_urn(given["resourceSpec"]["resourceUrn"])
        visible = may_view(grant.views, urn, self._rows.asset(urn.text))
        return {"privileges": grant.privileges(urn.text, may_view=visible)}

    def _health(self, urn: Urn) -> list[View]:
        """What fails to be read is left out."""
        incidents = incident_health(self._call, self._rows, urn.text)
        return [element for element in (incidents, assertion_health(self._rows, urn.text)) if element is not None]
