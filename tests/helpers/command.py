"""The command line, in this process or in one of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from incident_gate.cli.main import run
from incident_gate.sandbox import Sandbox
from tests.helpers.processes import popen

# A job, for what it raises.
JOB = {"AIRFLOW_CTX_DAG_ID": "orders", "AIRFLOW_CTX_TASK_ID": "report"}


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


def gate(*arguments: str, environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    code = run(arguments, environment or {}, out, err)
    return Ended(code, out.getvalue(), err.getvalue())


def ask(server: Sandbox, *arguments: str) -> Ended:
    """Run a command that asks a server."""
    environment = {"DATAHUB_GMS_URL": server.url, "DATAHUB_GMS_TOKEN": server.token, **JOB}
    return gate(*arguments, environment=environment)


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    return popen(
        [sys.executable, "-c", "from incident_gate.cli.main import main; main()", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
