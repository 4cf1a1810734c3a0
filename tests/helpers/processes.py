"""Processes that tests start: none outlives its test, and none leaves a pipe open."""

import contextlib
import os
import subprocess
from collections.abc import Mapping
from typing import Any

# Seconds to wait for what comes in a moment on an idle machine: only a process that hangs takes longer.
PATIENCE = 120

_started: list[subprocess.Popen[Any]] = []


def popen(command: list[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a process; `end_all` ends it if the test does not."""
    if "env" in options:
        options["env"] = measured(options["env"])
    process = subprocess.Popen(command, **options)
    _started.append(process)
    return process


def measured(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for a process, in which its coverage is measured if this one's is."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")} | {**environment}


def end_all() -> None:
    """End what was started, after each test: also after one that failed while it waited."""
    while _started:
        process = _started.pop()
        process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with contextlib.suppress(OSError):  # what was not written to a process that is gone
                    stream.close()
        process.wait()
