"""What a very large manifest costs: time, memory and requests of the whole process, on the command line.

`load.py [--gate PATH] [--assets N ...]` prints a Markdown table. The server is a process of its own with its answers
ready: what is measured is the gate. Fails if a target of the table is missed.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from stand_in import read_head

HEALTHY = '{"urn": "%s", "exists": true, "status": null, "incidents": {"total": 0, "incidents": []}, "siblings": null}'
MOST_MEGABYTES = 200
BATCH = 250
# Ten times the assets may take this many times as long: start-up makes the small run relatively dear.
LINEAR = 11.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took."""

    assets: int
    seconds: float
    megabytes: float
    requests: int


class Server:
    """Says of every asset that it is healthy, and counts."""

    def __init__(self) -> None:
        self.requests = 0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        while head := await read_head(reader):
            length = next((int(line.split(b":")[1]) for line in head if line.lower().startswith(b"content-length:")), 0)
            body = await reader.readexactly(length)
            if head[0].startswith(b"GET"):
                answer = json.dumps({"requests": self.requests})
            else:
                self.requests += 1
                urns = json.loads(body)["variables"]["urns"]
                answer = f'{{"data": {{"entities": [{",".join(HEALTHY % urn for urn in urns)}]}}}}'
            header = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
            writer.write(f"{header}{answer}".encode())
            await writer.drain()
        writer.close()

    async def serve(self) -> None:
        """Serve until the process is ended."""
        server = await asyncio.start_server(self.converse, "127.0.0.1", 0)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


@contextmanager
def serving() -> Iterator[str]:
    """A server in a process of its own."""
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def measure(gate: str, assets: int) -> Cost:
    """Gate that many healthy datasets."""
    with tempfile.TemporaryDirectory() as folder, serving() as url:
        manifest = Path(folder) / "gate.yml"
        urns = (f"urn:li:dataset:(urn:li:dataPlatform:snowflake,shop.public.t{n:06},PROD)" for n in range(assets))
        manifest.write_text("".join(f"- {urn}\n" for urn in urns), encoding="utf-8")
        environment = {**os.environ, "DATAHUB_GMS_URL": url, "DATAHUB_GMS_TOKEN": "token", "NO_PROXY": "*"}
        started = time.monotonic()
        with (Path(folder) / "told").open("w") as told:
            process = subprocess.Popen([gate, "check", str(manifest)], env=environment, stdout=told, stderr=told)
            # The peak of this one process, as the kernel knows it.
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"The gate ended with {process.returncode}: {(Path(folder) / 'told').read_text()[-500:]}")
        import httpx  # noqa: PLC0415 - the server's process does not need it

        requests: int = httpx.get(f"{url}/usage", trust_env=False).json()["requests"]
    return Cost(assets, seconds, usage.ru_maxrss / 1024, requests)


def main() -> None:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gate", default=str(Path(sys.executable).with_name("incident-gate")))
    parser.add_argument("--assets", type=int, nargs="*", default=[1, 10_000, 100_000])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(Server().serve())
        return
    costs = [measure(options.gate, assets) for assets in options.assets]
    print("| assets | seconds | peak memory, MB | requests |\n| --- | --- | --- | --- |")
    for cost in costs:
        print(f"| {cost.assets:,} | {cost.seconds:.2f} | {cost.megabytes:.0f} | {cost.requests:,} |")
    missed = [f"{c.assets:,} assets take {c.megabytes:.0f} MB" for c in costs if c.megabytes > MOST_MEGABYTES]
    missed += [
        f"{c.assets:,} assets take {c.requests:,} requests" for c in costs if c.requests != -(-c.assets // BATCH)
    ]
    for less, more in pairwise(costs):
        growth = more.seconds / less.seconds
        if more.assets == 10 * less.assets and growth > LINEAR:
            missed.append(f"ten times {less.assets:,} assets take {growth:.1f} times as long")
    sys.exit("; ".join(missed) or 0)


if __name__ == "__main__":
    main()
