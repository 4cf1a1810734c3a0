"""Serves the stand-in DataHub with the datasets of this folder's manifest: serve.py HOST PORT [INCIDENT]."""

import signal
import sys
from functools import partial

from incident_gate.sandbox import Sandbox, Store

INPUT = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders,PROD)"
OUTPUT = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders_daily,PROD)"


def seed(store: Store, *, incident: str) -> None:
    """Two healthy datasets; somebody else's incident on the output, and on the input if the job wants one."""
    store.add_assets([INPUT, OUTPUT])
    store.raise_incident(OUTPUT, title="Somebody else's")
    if incident:
        store.raise_incident(INPUT, title=incident)


def main(host: str, port: str, incident: str = "") -> None:
    """Serve until terminated."""
    with Sandbox.start(host=host, port=int(port), seed=partial(seed, incident=incident)):
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
