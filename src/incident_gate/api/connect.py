"""The connection of one stage, and what the stage results in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from incident_gate.datahub.client import Client, Exchange
from incident_gate.datahub.deadline import Deadline
from incident_gate.datahub.health.reader import PARALLEL
from incident_gate.datahub.http import open_client
from incident_gate.errors import ExitCode, GateError
from incident_gate.report.model import Report
from incident_gate.settings import RunSettings

OnExchange = Callable[[Exchange], None]


class Result(NamedTuple):
    """What a stage reports, and the exit code."""

    report: Report
    exit_code: ExitCode


@contextmanager
def connect(settings: RunSettings, on_exchange: OnExchange | None = None) -> Iterator[Client]:
    """Connect to DataHub; at the end of the block, requests that still wait for an answer are given up.

    Args:
        settings: Address, token and the time for all requests.
        on_exchange: Called after every request, for the debug log.

    Raises:
        SettingError: The CA bundle or the proxy cannot be used.
    """
    with closing(open_client(settings.connection, connections=PARALLEL)) as http:
        client = Client(
            http,
            settings.connection.address.graphql_url,
            Deadline.after(settings.timeout),
            on_exchange=on_exchange,
            secrets=settings.secrets,
            is_plain=not (settings.connection.address.is_encrypted or settings.connection.proxy.url),
        )
        try:
            yield client
        except GateError as error:
            error.hint = settings.connection.resolved(error.hint)
            raise
