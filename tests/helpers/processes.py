"""Processes that tests start: none outlives its test, and none leaves a pipe open."""

import contextlib
import subprocess
from typing import Any

# Seconds to wait for what comes in a moment on an idle machine: only a process that hangs takes longer.
PATIENCE = 120

_started: list[subprocess.Popen[Any]] = []


def popen(command: list[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a process; `end_all` ends it if the test does not."""
    process = subprocess.Popen(command, **options)
    _started.append(process)
    return process


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
