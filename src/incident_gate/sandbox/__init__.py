"""A mock DataHub server for the demo and the tests: it answers as a real server does, misleading answers included."""

from .faults import Fault, FaultKind, Faults
from .generation import Generation
from .incidents import IncidentExistsError
from .records import Asset, IncidentRecord
from .request import Grant, Journal, Request, ViewPolicy
from .server import DEFAULT_TOKEN, Sandbox
from .store import Store

__all__ = [
    "DEFAULT_TOKEN",
    "Asset",
    "Fault",
    "FaultKind",
    "Faults",
    "Generation",
    "Grant",
    "IncidentExistsError",
    "IncidentRecord",
    "Journal",
    "Request",
    "Sandbox",
    "Store",
    "ViewPolicy",
]
