"""Measures the gate beside what one would do otherwise: whole processes, in turns, against a server 20 ms away.

Prints a table as Markdown, and writes it here with a plot. The gate is the one installed beside this Python, or
that of `--gate`: an environment that has more packages than users get would start slower.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from plot import plot

HERE = Path(__file__).resolve().parent
LATENCY = 0.020
OURS, LOOP = "incident-gate", "requests in a loop"
# How often each is measured; what takes long varies little.
SAMPLES = {1: 15, 10: 11, 100: 7, 1_000: 3, 10_000: 3}
OTHERS_STOP_AT = 1_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One process from its start to its end."""

    seconds: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Contestant:
    """A command that exits with 0 because all datasets on its standard input are healthy."""

    name: str
    command: tuple[str, ...]
    most: int = OTHERS_STOP_AT


@dataclass(frozen=True, slots=True)
class Server:
    """The stand-in, in a process of its own."""

    url: str

    def busy(self) -> float:
        """Seconds of processor time used so far."""
        with urlopen(f"{self.url}/usage") as response:  # noqa: S310 - our own process
            seconds: float = json.load(response)["seconds"]
        return seconds


@contextmanager
def serving() -> Iterator[Server]:
    """Start the stand-in, and end it."""
    command = [sys.executable, os.fspath(HERE / "stand_in.py"), str(LATENCY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if not process.stdout:
            raise RuntimeError("the stand-in has no output")
        try:
            yield Server(process.stdout.readline().strip())
        finally:
            process.terminate()


def contestants(gate: Path) -> list[Contestant]:
    """Who can run here."""
    python = sys.executable
    found = [
        Contestant(OURS, (os.fspath(gate),), most=10_000),
        Contestant(LOOP, (python, os.fspath(HERE / "requests_loop.py"))),
    ]
    if shutil.which("curl") and shutil.which("jq"):
        found.append(Contestant("curl and jq in a loop", ("bash", os.fspath(HERE / "curl_jq.sh"))))
    if find_spec("datahub"):
        found.append(Contestant("DataHub's SDK in a loop", (python, os.fspath(HERE / "sdk.py"))))
    return found


def measure(contestant: Contestant, urns: Path, environment: Mapping[str, str], folder: Path) -> Sample:
    """Run one process to its end."""
    with urns.open() as given, tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(contestant.command, stdin=given, stdout=log, stderr=log, cwd=folder, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            sys.exit(f"{contestant.name} ended with {process.returncode}:\n{log.read().decode()}")
    # Linux counts in KiB.
    return Sample(seconds, usage.ru_maxrss * 1024 / 1e6)


def prepare(folder: Path, number: int, server: Server) -> tuple[Path, dict[str, str]]:
    """URNs for the loops, a manifest for the gate, and the variables by which all find the server."""
    names = [f"urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.table_{i:05},PROD)" for i in range(number)]
    urns = folder / f"{number}.txt"
    urns.write_text("".join(f"{name}\n" for name in names))
    manifest = folder / f"{number}.yml"
    manifest.write_text("version: 1\ninputs:\n" + "".join(f"  - {name}\n" for name in names))
    runner = {name: folder / f"{number}.{name}" for name in ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")}
    for path in runner.values():
        path.write_text("")
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return urns, {
        **kept,
        **{name: os.fspath(path) for name, path in runner.items()},
        "DATAHUB_GMS_URL": server.url,
        "DATAHUB_GMS_TOKEN": "sandbox-token",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": os.fspath(folder),
        "INPUT_MANIFEST": manifest.name,
        "NO_PROXY": "*",
    }


def main() -> None:
    """Measure all in turns, so that what else the machine does falls on each alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two samples each, up to 100 datasets; writes nothing")
    beside = Path(sys.executable).parent / "incident-gate-action"
    parser.add_argument("--gate", type=Path, default=beside, help="the gate's executable")
    options = parser.parse_args()
    samples: dict[tuple[str, int], list[Sample]] = {}
    busy: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as temporary, serving() as server:
        folder = Path(temporary)
        running = contestants(options.gate.absolute())
        for number, times in {1: 2, 10: 2, 100: 2}.items() if options.quick else SAMPLES.items():
            urns, environment = prepare(folder, number, server)
            taking_part = [contestant for contestant in running if number <= contestant.most]
            for contestant in taking_part if number == 1 else ():
                measure(contestant, urns, environment, folder)  # reads every file once
            for _ in range(times):
                for contestant in taking_part:
                    before, started = server.busy(), time.perf_counter()
                    sample = measure(contestant, urns, environment, folder)
                    samples.setdefault((contestant.name, number), []).append(sample)
                    if contestant.name == OURS:
                        busy[number] = max(
                            busy.get(number, 0), (server.busy() - before) / (time.perf_counter() - started)
                        )
            print(f"measured {number:,}", file=sys.stderr)
    text = table(samples, busy)
    print(text)
    if not options.quick:
        names = dict.fromkeys(name for name, _ in samples)
        series = {
            name: {number: median(s.seconds for s in found) for (of, number), found in samples.items() if of == name}
            for name in names
        }
        (HERE / "results.md").write_text(text, encoding="utf-8")
        (HERE / "results.svg").write_text(plot("Whole process, server 20 ms away", series), encoding="utf-8")


def table(samples: Mapping[tuple[str, int], list[Sample]], busy: Mapping[int, float]) -> str:
    """Medians, and each as a multiple of the gate's."""
    names = list(dict.fromkeys(name for name, _ in samples))
    numbers = sorted({number for _, number in samples})
    machine = f"Python {platform.python_version()}, {os.cpu_count()} processors"
    lines = [
        f"{machine}, {LATENCY * 1000:.0f} ms added to each request. Whole processes: medians in seconds,",
        "and as a multiple of the gate's.",
        "",
        f"| datasets | {' | '.join(names)} | samples | memory of the gate | stand-in busy |",
        f"| ---: | {' | '.join('---:' for _ in names)} | ---: | ---: | ---: |",
    ]
    for number in numbers:
        ours = samples[OURS, number]
        gate = median(sample.seconds for sample in ours)
        cells = [cell(samples.get((name, number), []), None if name == OURS else gate) for name in names]
        megabytes = median(sample.megabytes for sample in ours)
        lines.append(f"| {number:,} | {' | '.join(cells)} | {len(ours)} | {megabytes:.0f} MB | {busy[number]:.0%} |")
    lines += [
        "",
        "The last column is the largest share of a run of the gate in which the stand-in's one thread computed: far",
        "from all of it, so the stand-in is not what limits the gate.",
        "A real server searches once for each dataset, whoever asks: that time comes on top for all.",
        "",
    ]
    return "\n".join(lines)


def cell(found: list[Sample], gate: float | None) -> str:
    """A median, and its ratio to the gate's."""
    if not found:
        return ""
    seconds = median(sample.seconds for sample in found)
    return f"{seconds:.3f}" if gate is None else f"{seconds:.3f} ({seconds / gate:.1f} x)"


if __name__ == "__main__":
    main()
