"""The rows that one request reads from the store."""

from collections.abc import Iterable, Mapping
from typing import Any

from .assertions import AssertionRecord, RunRecord
from .records import Asset, IncidentFilter, IncidentPage, IncidentRecord, Siblings
from .store import Store


class Rows:
    """Rows, loaded for all the entities that the request has named so far, in one statement each.

    A thousand entities cost as many statements as one.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._assets: dict[str, Asset | None] = {}
        self._siblings: dict[str, Siblings] = {}
        self._pages: dict[IncidentFilter, dict[str, IncidentPage | None]] = {}
        self._incidents: dict[str, IncidentRecord | None] = {}
        self._summaries: dict[str, Mapping[str, Any] | None] = {}
        self._asserted: dict[str, list[str]] = {}
        self._assertions: dict[str, AssertionRecord | None] = {}
        self._runs: dict[str, list[RunRecord]] = {}

    def load(self, urns: Iterable[str]) -> None:
        """Load the assets `urns` and their siblings, which will be asked for next."""
        missing = {urn for urn in urns if urn not in self._assets}
        if not missing:
            return
        siblings = self._store.siblings(missing)
        missing.update(urn for found in siblings.values() for urn in found.urns if urn not in self._assets)
        self._siblings |= self._store.siblings(missing) if siblings else {}
        assets = self._store.assets(missing)
        self._assets |= {urn: assets.get(urn) for urn in missing}

    def asset(self, urn: str) -> Asset | None:
        """An asset, if it was ingested."""
        self.load([urn])
        return self._assets[urn]

    def siblings(self, urn: str) -> Siblings | None:
        """An asset's siblings, if it has any."""
        self.load([urn])
        return self._siblings.get(urn)

    def page(self, urn: str, wanted: IncidentFilter) -> IncidentPage:
        """A page of an asset's incidents as the search index knows them."""
        pages = self._pages.setdefault(wanted, {})
        if urn not in pages:
            named = [known for known in (urn, *self._assets) if known not in pages]
            found = self._store.search_incidents(named, wanted)
            pages |= {known: found.get(known) for known in named}
            self._load_incidents(incident for page in found.values() for incident in page.urns)
        return pages[urn] or IncidentPage(0)

    def incident(self, urn: str) -> IncidentRecord | None:
        """An incident from the primary store."""
        self._load_incidents([urn])
        return self._incidents[urn]

    def summary(self, urn: str, *, old_form: bool) -> Mapping[str, Any] | None:
        """An asset's aspect `incidentsSummary`."""
        if urn not in self._summaries:
            named = [known for known in (urn, *self._assets) if known not in self._summaries]
            found = self._store.summaries(named, old_form=old_form)
            self._summaries |= {known: found.get(known) for known in named}
        return self._summaries[urn]

    def assertions(self, dataset: str) -> list[str]:
        """URNs of a dataset's assertions, as the graph index knows them."""
        if dataset not in self._asserted:
            named = [known for known in (dataset, *self._assets) if known not in self._asserted]
            found = self._store.assertions_of(named)
            self._asserted |= {known: found.get(known, []) for known in named}
            urns = [urn for assertions in found.values() for urn in assertions]
            self.load(urns)
            self._load_assertions(urns)
        return self._asserted[dataset]

    def assertion(self, urn: str) -> AssertionRecord | None:
        """An assertion from the primary store."""
        self._load_assertions([urn])
        return self._assertions[urn]

    def runs(self, assertion: str) -> list[RunRecord]:
        """The runs of an assertion, newest first."""
        if assertion not in self._runs:
            named = [known for known in (assertion, *self._assertions) if known not in self._runs]
            found = self._store.runs(named)
            self._runs |= {known: found.get(known, []) for known in named}
        return self._runs[assertion]

    def _load_assertions(self, urns: Iterable[str]) -> None:
        missing = {urn for urn in urns if urn not in self._assertions}
        if missing:
            found = self._store.assertions_by_urn(missing)
            self._assertions |= {urn: found.get(urn) for urn in missing}

    def _load_incidents(self, urns: Iterable[str]) -> None:
        missing = {urn for urn in urns if urn not in self._incidents}
        if missing:
            found = self._store.incidents_by_urn(missing)
            self._incidents |= {urn: found.get(urn) for urn in missing}
