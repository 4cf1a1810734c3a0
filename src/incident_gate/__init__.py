"""DataHub Incident Gate: stops a pipeline while its inputs have active incidents in DataHub.

As a library: `check` and `report_outcome` with their `Settings`; every error is a `GateError`. They are imported when
they are used.
"""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["BlockedError", "GateError", "Settings", "__version__", "check", "report_outcome", "to_json"]

# As typing has it, without its import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from incident_gate.errors import GateError
    from incident_gate.library import BlockedError, Settings, check, report_outcome, to_json


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from incident_gate import library  # noqa: PLC0415 - 3 ms; the program and its version need none of it

    return getattr(library, name)


def __dir__() -> list[str]:
    return __all__
