"""The action's two entry points, as the runner starts them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NoReturn

from incident_gate.errors import ExitCode
from incident_gate.process import delayed_interrupts, end, on_interrupt, prepare, started, write

if TYPE_CHECKING:
    from incident_gate.action.stage import Stage

_NO_EXTRA = (
    "actions-toolkit is not installed here. Install this package with its extra `action`, or use the command line, "
    "incident-gate."
)


def main() -> NoReturn:
    """Run the main stage."""
    stage = _stage(lambda it: it.interrupted())
    end(stage.main())


def post() -> NoReturn:
    """Run the post stage, which every step has and few need."""
    if not reports_outcome(os.environ):
        end(0)
    stage = _stage(lambda it: it.interrupt_message)
    end(stage.post())


def reports_outcome(environment: Mapping[str, str]) -> bool:
    """Whether the step is to report the job's outcome when the job ends.

    What the main stage saved decides: the inputs may be another action's by then. Asked before anything is imported:
    where it is not, the end of the job waits for nothing.
    """
    if saved := environment.get("STATE_report", ""):
        return saved == "true"
    mode = environment.get("INPUT_MODE", "").strip()
    return mode in {"", "gate"} and environment.get("INPUT_REPORT-OUTCOME", "").strip().lower() == "true"


def _stage(interrupt_message: Callable[[Stage], str]) -> Stage:
    prepare()
    # An interruption during the imports, which take most of a short run's time, waits until it can be handled.
    with delayed_interrupts():
        try:
            from incident_gate.action.stage import Stage  # noqa: PLC0415 - 60 ms, which this has just made safe
        except ModuleNotFoundError as error:
            if error.name != "actions_toolkit":
                raise
            write(sys.stdout, f"::error::{_NO_EXTRA}\n")
            end(ExitCode.USAGE)
        stage = Stage(environment=os.environ, stdout=sys.stdout)
        on_interrupt(lambda: interrupt_message(stage))
    started()
    return stage
