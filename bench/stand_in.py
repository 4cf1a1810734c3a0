"""A DataHub that has its answers ready: the sandbox's, computed for one dataset and copied for every other.

The sandbox executes each request, which for hundreds of datasets takes longer than the gate does; here it is the client
that is measured. `stand_in.py LATENCY_SECONDS` prints its address; `GET /usage` returns the number of requests so far.
"""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from functools import partial
from typing import Any

import httpx

from incident_gate.sandbox import Sandbox

TEMPLATE = "urn:li:dataset:(urn:li:dataPlatform:hive,template,PROD)"


class Answers:
    """The sandbox's answers, each document asked once."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._url = f"{sandbox.url}/api/graphql"
        self._headers = {"Authorization": f"Bearer {sandbox.token}"}
        self._known: dict[str, str] = {}
        self.given = 0

    def to(self, body: Mapping[str, Any]) -> bytes:
        """The answer to a request about one dataset (`$urn`) or many (`$urns`)."""
        self.given += 1
        variables = body.get("variables") or {}
        urns = variables.get("urns") or [variables.get("urn", TEMPLATE)]
        if body["query"] not in self._known:
            asked = {**variables, **({"urns": [TEMPLATE]} if "urns" in variables else {"urn": TEMPLATE})}
            request = {**body, "variables": asked}
            answer = httpx.post(self._url, json=request, headers=self._headers, trust_env=False).json()
            if "errors" in answer:
                sys.exit(f"The sandbox refuses the benchmark's query: {answer['errors']}")
            element = answer["data"]["entities"][0] if "urns" in variables else answer
            self._known[body["query"]] = json.dumps(element)
        element = self._known[body["query"]]
        # A URN needs no escape in JSON.
        texts = [element.replace(TEMPLATE, urn) for urn in urns]
        return (f'{{"data": {{"entities": [{",".join(texts)}]}}}}' if "urns" in variables else texts[0]).encode()


async def converse(
    answers: Answers, latency: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the requests of one connection, until the client closes it."""
    with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
        while head := (await reader.readuntil(b"\r\n\r\n")).lower():
            started = time.perf_counter()
            _, _, length = head.partition(b"\r\ncontent-length:")
            body = await reader.readexactly(int(length.split()[0]) if length else 0)
            if body:
                answer = answers.to(json.loads(body))
                # What computing the answer took counts, so that each takes as long as it is said to.
                await asyncio.sleep(max(0.0, latency - (time.perf_counter() - started)))
            elif head.startswith(b"get /usage"):
                answer = json.dumps({"requests": answers.given}).encode()
            else:
                answer = b'{"models": {}, "noCode": "true", "versions": {}, "datahub": {"serverType": "quickstart"}}'
            header = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
            writer.write(header.encode() + answer)
            await writer.drain()


async def serve(sandbox: Sandbox, latency: float) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(partial(converse, Answers(sandbox), latency), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main(latency: str) -> None:
    """Serve the answers of a sandbox that knows one healthy dataset."""
    with Sandbox.start() as sandbox:
        sandbox.store.add_asset(TEMPLATE)
        asyncio.run(serve(sandbox, float(latency)))


if __name__ == "__main__":
    main(*sys.argv[1:])
