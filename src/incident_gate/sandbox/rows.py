"""The rows that one request reads from the store."""

from collections.abc import Iterable, Mapping
from typing import Any

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

    def _load_incidents(self, urns: Iterable[str]) -> None:
        missing = {urn for urn in urns if urn not in self._incidents}
        if missing:
            found = self._store.incidents_by_urn(missing)
            self._incidents |= {urn: found.get(urn) for urn in missing}
