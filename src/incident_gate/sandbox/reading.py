"""Queries: entities, their siblings and their incidents, loaded for a whole request at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .call import Call, taken_apart
from .entity_view import entity_view
from .failure import UNAUTHORIZED, Code, ResolverError
from .faults import FaultKind
from .incident_view import incident_view, priority_number
from .records import Asset, IncidentFilter, IncidentPage, IncidentRecord, Siblings
from .urn import Urn

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
}

View = dict[str, Any]


class Reading:
    """What one request reads.

    Rows are loaded for all the entities that the request has named so far, in one statement each: a thousand entities
    cost as many statements as one.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._assets: dict[str, Asset | None] = {}
        self._siblings: dict[str, Siblings] = {}
        self._pages: dict[IncidentFilter, dict[str, IncidentPage | None]] = {}
        self._records: dict[str, IncidentRecord] = {}

    def fields(self) -> View:
        """The resolvers of Query, searches aside."""
        singles = {name: self._single(kind) for name, kind in _OBJECT_FIELDS.items()}
        return singles | {
            "entity": lambda _info, urn: self.entity(taken_apart(urn)),
            "entities": self._entities,
            "entityExists": lambda _info, urn: self.exists(urn),
            "getGrantedPrivileges": lambda _info, input: self._privileges(input),  # noqa: A006 - the schema's name
            "me": lambda _info: {"corpUser": self.entity(taken_apart(self._call.grant.actor))},
            "appConfig": {"appVersion": self._call.generation.version},
        }

    def entities(self, urns: Sequence[str], *, existing: bool | None = None) -> list[View | None]:
        """The views of many entities; with `existing`, null for one that was never ingested.

        Raises:
            ResolverError: one of them sinks them all, as on real servers: it is no URN, or its type is not mapped.
        """
        parsed = [taken_apart(urn) for urn in urns]
        if self._call.faults.unmapped_throws and not all(map(self._is_mapped, parsed)):
            raise ResolverError(f"Failed to retrieve entities of {len(urns)} URNs: java.lang.NullPointerException")
        self.load(urns)
        return [None if existing and not self.exists(urn.text) else self.entity(urn) for urn in parsed]

    def entity(self, urn: Urn) -> View | None:
        """The view of one entity, which needs not exist; null if its type is not mapped.

        Raises:
            ResolverError: a fault requires it.
        """
        if not self._is_mapped(urn):
            return None
        strike = self._call.strike
        if strike.about(urn.text, FaultKind.THROW):
            raise ResolverError(f"Failed to load entity {urn.text}")
        if strike.about(urn.text, FaultKind.NULL_ELEMENT) or not self._call.grant.may_see(urn.text):
            return None
        if urn.kind == "incident":
            record = self._incident(urn.text)
            return None if record is None else incident_view(record, self._call.generation, self.linked)
        self.load([urn.text])
        view = entity_view(urn, self._assets[urn.text], self.linked)
        if strike.about(urn.text, FaultKind.NULL_EXISTS):
            view["exists"] = None
        siblings = self._siblings.get(urn.text)
        if siblings is not None:
            view["siblings"] = {
                "isPrimary": siblings.is_primary,
                "siblings": lambda _info: [self.linked(sibling) for sibling in siblings.urns],
            }
        view["incidents"] = lambda _info, **arguments: self.incidents(urn, **arguments)
        view["health"] = lambda _info: self._health(urn)
        view["privileges"] = {"canEditIncidents": self._call.grant.may_edit(urn.text)}
        return view

    def _is_mapped(self, urn: Urn) -> bool:
        """Whether the server finds an entity by this URN; open-source DataHub maps no incidents."""
        return urn.object_type is not None and (urn.kind != "incident" or self._call.generation.is_cloud)

    def linked(self, urn: str) -> View | None:
        """The view of an entity that another one refers to."""
        return self.entity(taken_apart(urn))

    def exists(self, text: str) -> bool | None:
        """Whether an entity was ingested."""
        urn = taken_apart(text)
        strike = self._call.strike
        if not self._call.grant.may_see(urn.text):
            raise ResolverError(UNAUTHORIZED, Code.UNAUTHORIZED)
        if strike.about(urn.text, FaultKind.NULL_EXISTS):
            return None
        if urn.kind == "incident":
            return self._incident(urn.text) is not None
        self.load([urn.text])
        return self._assets[urn.text] is not None

    def incidents(  # noqa: PLR0913 - the field's own arguments
        self,
        urn: Urn,
        *,
        state: str | None = None,
        stage: str | None = None,
        priority: str | None = None,
        assigneeUrns: Sequence[str] | None = None,  # noqa: N803 - the schema's name
        start: int | None = None,
        count: int | None = None,
    ) -> View | None:
        """A page of an entity's incidents: counted by the search index, loaded from the primary store.

        Raises:
            ResolverError: the page lies beyond the limit of the search, or a fault says so.
        """
        strike, faults = self._call.strike, self._call.faults
        if strike.about(urn.text, FaultKind.NULL_INCIDENTS):
            return None
        if fault := strike.about(urn.text, FaultKind.FIELD_ERROR):
            raise ResolverError("Failed to retrieve incidents from GMS", Code(fault.code))
        first = 0 if start is None else start
        size = 20 if count is None else count
        if faults.page_limit is not None:
            size = min(size, faults.page_limit)
        limit = self._call.generation.offset_limit
        if first + size > limit:
            asked = first + size
            raise ResolverError(
                f"Result window is too large, from + size must be less than or equal to: [{limit}] but was [{asked}]"
            )
        wanted = IncidentFilter(
            state=state,
            stage=stage,
            priority=priority_number(priority),
            assignees=tuple(assigneeUrns or ()),
            start=first,
            count=max(size, 0),
        )
        page = self._page(urn.text, wanted)
        if not self._call.generation.is_cloud:
            for incident in page.urns:
                if incident not in self._records:
                    raise ResolverError(f"Incident does not exist!. urn: {incident}")
        loaded = [self._records[incident] for incident in page.urns if incident in self._records]
        if strike.about(urn.text, FaultKind.LOST_INCIDENTS):
            loaded = []
        views = [incident_view(record, self._call.generation, self.linked) for record in loaded]
        return {"start": first, "count": size, "total": page.total, "incidents": views}

    def load(self, urns: Iterable[str]) -> None:
        """Load the rows of `urns`, and those of their siblings, which will be asked for next."""
        missing = {urn for urn in urns if urn not in self._assets}
        if not missing:
            return
        store = self._call.store
        siblings = store.siblings(missing)
        missing.update(urn for found in siblings.values() for urn in found.urns if urn not in self._assets)
        self._siblings |= store.siblings(missing) if siblings else {}
        assets: Mapping[str, Asset] = store.assets(missing)
        self._assets |= {urn: assets.get(urn) for urn in missing}

    def _single(self, kind: str) -> Any:
        def resolve(_info: object, urn: str) -> View | None:
            parsed = taken_apart(urn)
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
        resource = given.get("resourceSpec")
        return {"privileges": grant.privileges(None if resource is None else resource["resourceUrn"])}

    def _page(self, urn: str, wanted: IncidentFilter) -> IncidentPage:
        pages = self._pages.setdefault(wanted, {})
        if urn not in pages:
            named = [known for known in (urn, *self._assets) if known not in pages]
            found = self._call.store.search_incidents(named, wanted)
            pages |= {known: found.get(known) for known in named}
            incidents = {incident for page in found.values() for incident in page.urns} - self._records.keys()
            if incidents:
                self._records |= self._call.store.incidents_by_urn(incidents)
        return pages[urn] or IncidentPage(0)

    def _incident(self, urn: str) -> IncidentRecord | None:
        if urn not in self._records:
            self._records |= self._call.store.incidents_by_urn([urn])
        return self._records.get(urn)

    def _health(self, urn: Urn) -> list[View]:
        active = self._page(urn.text, IncidentFilter(state="ACTIVE")).total
        if not active:
            return [{"type": "INCIDENTS", "status": "PASS"}]
        message = f"{active} active incident{'s' if active != 1 else ''}"
        return [{"type": "INCIDENTS", "status": "FAIL", "message": message, "causes": ["ACTIVE_INCIDENTS"]}]
