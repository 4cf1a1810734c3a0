"""The process: its streams, its signals and its exit."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TextIO

_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


def write(stream: TextIO | None, text: str) -> None:
    """Write to a stream that may be closed or full: the verdict does not depend on it."""
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError, RuntimeError):
        # RuntimeError: a signal came in the middle of a write to the same stream.
        return


def prepare() -> None:
    """Let standard output and error take any text, whatever the locale, and exist even if they were closed."""
    # Until `started` is called: during the imports it costs a tenth of the start and finds nothing.
    gc.disable()
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(encoding="utf-8", errors="replace")


def started() -> None:
    """Switch the collector of cycles on, but leave out what was imported: it lives as long as the process."""
    gc.freeze()
    # Less often than by default: the records of a large gate hold no cycles, and looking takes a tenth of its time.
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


def end(code: int) -> NoReturn:
    """End the process now, without the threads that still wait for DataHub.

    A stream that cannot be flushed does not turn the exit code into another one, as Python's own shutdown would.
    """
    for stream in (sys.stdout, sys.stderr):
        write(stream, "")
    os._exit(code)


@contextmanager
def delayed_interrupts() -> Iterator[None]:
    """Deliver SIGINT and SIGTERM at the end of the block."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)


def on_interrupt(interrupt_message: Callable[[], str]) -> None:
    """End at once on SIGINT and SIGTERM, which a cancelled job gets.

    As process 1 of a container there is no default for SIGTERM: without a handler it is ignored, and the runner waits.
    """

    def interrupted(number: int, _frame: object) -> None:
        write(sys.stdout, f"{interrupt_message()}\n")
        end(128 + number)

    for number in _INTERRUPTS:
        signal.signal(number, interrupted)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")
