"""Faults below HTTP: a server of raw sockets that stands in front of another one."""

import contextlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from tests.helpers.loopback import listening, read_head

_CHUNK = b" " * 65_536


class WireFault(StrEnum):
    """What happens to one request on the wire."""

    PASS = "pass"

    # The request does not reach the server behind.
    RESET_ON_CONNECT = "reset-on-connect"
    RESET_BEFORE_ANSWER = "reset-before-answer"
    CLOSE_BEFORE_ANSWER = "close-before-answer"
    HANG_BEFORE_HEADERS = "hang-before-headers"
    GARBAGE = "garbage"  # not HTTP at all

    # It does; its answer is spoilt on the way back.
    RESET_IN_BODY = "reset-in-body"
    RESET_AFTER_ANSWER = "reset-after-answer"
    TRUNCATED = "truncated"  # ends before the stated length
    HALF_JSON = "half-json"  # ends in the middle of the JSON, at the stated length
    HANG_IN_BODY = "hang-in-body"
    TRICKLE = "trickle"  # one byte at a time
    WRONG_TYPE = "wrong-type"  # JSON that says it is an image
    HUGE = "huge"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireStep:
    """What happens to one request; `pause` is in seconds between the bytes of TRICKLE, `size` that of a HUGE answer."""

    fault: WireFault
    pause: float = 1.0
    size: int = 0


class WireServer:
    """Meets each request with the next step of its script, and those after the last one with `then`."""

    def __init__(self, script: Iterable[WireStep], upstream: str, *, then: WireStep) -> None:
        self._script = deque(script)
        self._then = then
        self._upstream = urlsplit(upstream)
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Serve; yields the address. At the end every connection that hangs is broken off."""
        with listening(self._meet) as port:
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                self._stopped.set()

    def _meet(self, connection: socket.socket) -> None:
        """Serve one request; every connection is closed after it, so that each step meets exactly one."""
        if self._take(on_connect=True):
            _reset(connection)
            return
        request = _read_message(connection)
        step = self._take(on_connect=False) if request else None
        if step is None:
            return
        match step.fault:
            case WireFault.RESET_BEFORE_ANSWER:
                _reset(connection)
            case WireFault.CLOSE_BEFORE_ANSWER:
                pass
            case WireFault.HANG_BEFORE_HEADERS:
                self._stopped.wait()
            case WireFault.GARBAGE:
                connection.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
            case WireFault.HUGE:
                connection.sendall(_head({}))
                for sent in range(0, step.size, len(_CHUNK)):
                    connection.sendall(_CHUNK[: step.size - sent])
            case _:
                self._send_spoilt(connection, step, self._answer(request))

    def _send_spoilt(self, connection: socket.socket, step: WireStep, answer: bytes) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        head += b"\r\nConnection: close\r\n\r\n"
        half = body[: len(body) // 2]
        match step.fault:
            case WireFault.RESET_IN_BODY:
                connection.sendall(head + half)
                # Let the first half arrive: a reset overtakes what was not read yet.
                self._stopped.wait(0.05)
                _reset(connection)
            case WireFault.RESET_AFTER_ANSWER:
                # As it came, so that the client keeps the connection for its next request.
                connection.sendall(answer)
                self._stopped.wait(0.05)
                _reset(connection)
            case WireFault.TRUNCATED:
                connection.sendall(head + half)
            case WireFault.HALF_JSON:
                connection.sendall(_head({"Content-Length": str(len(half))}) + half)
            case WireFault.HANG_IN_BODY:
                connection.sendall(head + half)
                self._stopped.wait()
            case WireFault.TRICKLE:
                connection.sendall(head)
                for position in range(len(body)):
                    if self._stopped.wait(step.pause):
                        return
                    connection.sendall(body[position : position + 1])
            case WireFault.WRONG_TYPE:
                connection.sendall(_head({"Content-Length": str(len(body))}, "image/png") + body)
            case _:
                connection.sendall(head + body)

    def _answer(self, request: bytes) -> bytes:
        """The whole answer of the server behind."""
        with socket.create_connection((self._upstream.hostname or "", self._upstream.port or 80)) as upstream:
            upstream.sendall(request)
            return _read_message(upstream)

    def _take(self, *, on_connect: bool) -> WireStep | None:
        """The step to meet now; one that needs no request is taken before there is one, the others wait for it."""
        with self._lock:
            step = self._script[0] if self._script else self._then
            if on_connect is not (step.fault is WireFault.RESET_ON_CONNECT):
                return None
            if self._script:
                self._script.popleft()
        return step


def _head(headers: dict[str, str], content_type: str = "application/json") -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {content_type}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _read_message(connection: socket.socket) -> bytes:
    """Read one HTTP message whose length is stated in its head; empty when the peer closes before its end.

    A part of a request must not be passed on: the server behind would wait for the rest for ever.
    """
    try:
        head, body = read_head(connection)
    except ConnectionError:
        return b""
    missing = _stated_length(head) - len(body)
    parts = [head.encode() + b"\r\n\r\n" + body]
    while missing > 0:
        data = connection.recv(65_536)
        if not data:
            return b""
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)


def _stated_length(head: str) -> int:
    stated = (line.partition(":") for line in head.split("\r\n"))
    return next((int(value) for name, _, value in stated if name.strip().lower() == "content-length"), 0)


def _reset(connection: socket.socket) -> None:
    """Close with a reset instead of an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
