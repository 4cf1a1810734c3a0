"""Measures the gate and a loop of requests: whole processes, in turns, against a server 20 ms away.

Prints a table and writes it to results.md. The gate is the one installed beside this Python, or that of `--gate`: an
environment that has more packages than users get would start slower. With `--load N` it gates N datasets once, against
a server without latency, and prints seconds, processor seconds, peak megabytes and requests as JSON.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
LATENCY = 0.020
# How often each number of datasets is measured, and whether the loop takes part.
ROUNDS = {1: (21, True), 100: (7, True), 10_000: (5, False)}


class Sample(NamedTuple):
    """One process from its start to its end."""

    seconds: float
    processor_seconds: float
    megabytes: float
    requests: int


@contextmanager
def serving(latency: float) -> Iterator[str]:
    """Start the server that has its answers ready; yields its address."""
    command = [sys.executable, os.fspath(HERE / "stand_in.py"), str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout  # noqa: S101 - it was asked for
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def requests_of(url: str) -> int:
    """How many requests the server has answered."""
    with urlopen(f"{url}/usage") as response:  # noqa: S310 - our own process
        return int(json.load(response)["requests"])


def measure(command: Sequence[str], folder: Path, url: str, environment: Mapping[str, str]) -> Sample:
    """Run one process to its end; it must find all datasets healthy."""
    before = requests_of(url)
    with (folder / "urns").open() as given, tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=given, stdout=log, stderr=log, cwd=folder, env=environment)
        # The kernel's account of this one process.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            sys.exit(f"{command} ended with {process.returncode}:\n{log.read().decode()[-2_000:]}")
    # Linux counts memory in KiB.
    megabytes = usage.ru_maxrss * 1024 / 1e6
    return Sample(seconds, usage.ru_utime + usage.ru_stime, megabytes, requests_of(url) - before)


def prepare(folder: Path, number: int, url: str) -> dict[str, str]:
    """Write URNs for the loop and a manifest for the gate; return the environment in which both find the server."""
    names = [f"urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.table_{i:05},PROD)" for i in range(number)]
    (folder / "urns").write_text("".join(f"{name}\n" for name in names))
    (folder / "gate.yml").write_text("version: 1\ninputs:\n" + "".join(f"  - {name}\n" for name in names))
    files = {name: os.fspath(folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")}
    return {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}},
        **files,
        "DATAHUB_GMS_URL": url,
        "DATAHUB_GMS_TOKEN": "sandbox-token",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": os.fspath(folder),
        "INPUT_MANIFEST": "gate.yml",
        "NO_PROXY": "*",
    }


def compare(gate: str) -> str:
    """Measure both in turns, so that what else the machine does affects both; the table of medians."""
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} processors, {LATENCY:g} s added to each request.",
        "Whole processes, medians. A real server searches once for each dataset; that time comes on top for both.",
        "",
        "| datasets | the gate, s | its processor time, s | its memory, MB | a loop of requests, s | gate / loop |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    loop = (sys.executable, os.fspath(HERE / "requests_loop.py"))
    for number, (rounds, has_loop) in ROUNDS.items():
        ours, theirs = [], []
        with tempfile.TemporaryDirectory() as temporary, serving(LATENCY) as url:
            folder = Path(temporary)
            environment = prepare(folder, number, url)
            measure((gate,), folder, url, environment)  # reads every file once
            for _ in range(rounds):
                ours.append(measure((gate,), folder, url, environment))
                theirs += [measure(loop, folder, url, environment).seconds] if has_loop else []
        middle = Sample(*map(median, zip(*ours, strict=True)))
        other = f"{median(theirs):.3f} | {middle.seconds / median(theirs):.2f}" if theirs else "|"
        own = f"{middle.seconds:.3f} | {middle.processor_seconds:.3f} | {middle.megabytes:.0f}"
        lines.append(f"| {number:,} | {own} | {other} |")
        print(lines[-1], file=sys.stderr)
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gate", default=os.fspath(Path(sys.executable).with_name("incident-gate-action")))
    parser.add_argument("--load", type=int, metavar="N", help="gate N datasets once")
    options = parser.parse_args()
    gate = os.path.abspath(options.gate)  # noqa: PTH100 - a link to an interpreter stays one
    if options.load:
        with tempfile.TemporaryDirectory() as temporary, serving(0) as url:
            environment = prepare(Path(temporary), options.load, url)
            print(json.dumps(measure((gate,), Path(temporary), url, environment)._asdict()))
        return
    text = compare(gate)
    print(text)
    (HERE / "results.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
