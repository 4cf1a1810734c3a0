"""What a sandbox holds at its start: a handful of samples, or what a JSON file says."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .store import Store

_KAFKA = "urn:li:dataset:(urn:li:dataPlatform:kafka,SampleKafkaDataset,PROD)"
_HIVE = "urn:li:dataset:(urn:li:dataPlatform:hive,SampleHiveDataset,PROD)"
_ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.orders,PROD)"
_ORDERS_MODEL = "urn:li:dataset:(urn:li:dataPlatform:dbt,analytics.orders,PROD)"
_ORDERS_DAILY = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.orders_daily,PROD)"
_OLD = "urn:li:dataset:(urn:li:dataPlatform:hive,RetiredHiveDataset,PROD)"
_FLOW = "urn:li:dataFlow:(airflow,orders,PROD)"
_JOB = f"urn:li:dataJob:({_FLOW},build)"
_DASHBOARD = "urn:li:dashboard:(looker,orders)"
_CHART = "urn:li:chart:(looker,orders_per_day)"
_ANA = "urn:li:corpuser:ana"
_TEAM = "urn:li:corpGroup:analytics"


def sample_seed(store: Store) -> None:
    """A few assets of each kind: healthy, removed, siblings, owned, connected. None has an incident."""
    store.add_asset("urn:li:corpuser:datahub", title="DataHub")
    store.add_asset(_ANA, title="Ana")
    store.add_asset(_TEAM, title="Analytics")
    store.add_asset(_KAFKA, removed=False)
    store.add_asset(_HIVE, removed=False, upstreams=[_KAFKA])
    store.add_asset(_OLD, removed=True)
    store.add_asset(_ORDERS, removed=False, siblings=[_ORDERS_MODEL], primary=False, owners=[_TEAM], upstreams=[_HIVE])
    store.add_asset(_ORDERS_MODEL, removed=False, title="Orders", owners=[_ANA])
    store.add_asset(_ORDERS_DAILY, removed=False, owners=[_ANA], upstreams=[_ORDERS])
    store.add_asset(_FLOW)
    store.add_asset(_JOB, upstreams=[_ORDERS])
    store.add_asset(_DASHBOARD, title="Orders", upstreams=[_CHART])
    store.add_asset(_CHART, title="Orders per day", upstreams=[_ORDERS_DAILY])


def seed_from(path: Path) -> Callable[[Store], None]:
    """Read `{"assets": [...], "incidents": [...]}`.

    The entries hold the arguments of `Store.add_asset` and `Store.raise_incident`; an asset may be a bare URN.

    Raises:
        ValueError: the file is not JSON or has another shape.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict) or set(content) - {"assets", "incidents"}:
        raise ValueError(f'{path}: expected {{"assets": [...], "incidents": [...]}}')
    assets = [_as_arguments(entry) for entry in content.get("assets", ())]
    incidents = [_as_arguments(entry) for entry in content.get("incidents", ())]

    def seed(store: Store) -> None:
        for entry in assets:
            store.add_asset(**entry)
        for entry in incidents:
            store.raise_incident(**entry)

    try:
        # Tried out on a store of its own, so that a mistake is found before the server runs.
        trial = Store()
        seed(trial)
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from error
    finally:
        trial.close()
    return seed


def _as_arguments(entry: str | Mapping[str, Any]) -> dict[str, Any]:
    return {"urn": entry} if isinstance(entry, str) else dict(entry)
