"""The action's two entry points, as the runner starts them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from incident_gate.process import end, on_interrupt, prepare, started

if TYPE_CHECKING:
    from incident_gate.action.stage import Stage


def main() -> NoReturn:
    """Run the main stage."""
    stage = _stage()
    end(stage.guarded(lambda it: it.main()))


def post() -> NoReturn:
    """Run the post stage, which every step has and few need."""
    if not reports_outcome(os.environ):
        end(0)
    stage = _stage()
    end(stage.guarded(lambda it: it.post()))


def reports_outcome(environment: Mapping[str, str]) -> bool:
    """Whether the step is to report the job's outcome when the job ends.

    Asked before anything is imported: where it is not, the end of the job waits for nothing.
    """
    mode = environment.get("INPUT_MODE", "").strip()
    return mode in {"", "gate"} and environment.get("INPUT_REPORT-OUTCOME", "").strip().lower() == "true"


def _stage() -> Stage:
    stage: Stage | None = None
    prepare()
    on_interrupt(lambda: stage.last_words if stage else "Interrupted before anything was asked.")
    # Only now: the imports take most of a short run's time, and an interruption in them is one as well.
    from incident_gate.action.stage import Stage  # noqa: PLC0415

    started()
    stage = Stage(environment=os.environ, stdout=sys.stdout)
    return stage
