"""Which CI system runs this job."""

from __future__ import annotations

from collections.abc import Mapping

from incident_gate.ci import airflow, github, gitlab, jenkins
from incident_gate.ci.run import Run

# Airflow first: its workers may run inside another system's job.
_SYSTEMS = (airflow.run_from, github.run_from, gitlab.run_from, jenkins.run_from)


def current_run(environment: Mapping[str, str]) -> Run:
    """The run as its CI system describes it; empty outside of one."""
    return next((run for read in _SYSTEMS if (run := read(environment)) is not None), Run())
