"""Faults below HTTP: a server of raw sockets that stands in front of another one, or answers by itself."""

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

_CANNED = b'{"data": {}}'
_CHUNK = b" " * 65_536
# Seconds after which a connection that should have ended is an error.
_STOP_SECONDS = 30.0


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
    HUGE = "huge"  # 200 MB, with its length stated
    HUGE_UNSTATED = "huge-unstated"  # the same, without


@dataclass(frozen=True, slots=True, kw_only=True)
class WireStep:
    """What happens to one request, in detail.

    Args:
        fault: what happens.
        pause: seconds between the bytes of TRICKLE.
        size: bytes of a HUGE answer.
    """

    fault: WireFault
    pause: float = 1.0
    size: int = 200_000_000


@dataclass(frozen=True, slots=True)
class WireRecord:
    """One request that came in: the fault that it met, and when, in monotonic seconds."""

    fault: WireFault
    at: float


class WireServer:
    """Meets each request with the next step of its script, and those after the last one with `then`.

    Args:
        script: the steps, or just their faults.
        upstream: the URL of the server behind; without one an empty GraphQL answer is given.
        then: what happens when the script is over.
    """

    def __init__(
        self,
        script: Iterable[WireStep | WireFault] = (),
        upstream: str | None = None,
        *,
        then: WireStep | WireFault = WireFault.PASS,
    ) -> None:
        self._script = deque(_step(item) for item in script)
        self._then = _step(then)
        self._upstream = urlsplit(upstream) if upstream else None
        self._records: list[WireRecord] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Begin to accept connections."""
        self._begin(self._accept)
        return self

    def __exit__(self, *_error: object) -> None:
        """Break every connection off."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            # A blocked accept() notices a shutdown, but not a close.
            self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_STOP_SECONDS)
            if thread.is_alive():
                raise RuntimeError("a connection of the wire server does not end")
        self._listener.close()

    @property
    def requests(self) -> list[WireRecord]:
        """The requests, and the connections reset before they could bring one, so far."""
        with self._lock:
            return list(self._records)

    def _begin(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, name="wire", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._begin(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
        try:
            with connection, contextlib.suppress(OSError):
                if not self._stopped.is_set():
                    self._meet(connection)
        finally:
            with self._lock:
                self._open.discard(connection)

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
            case WireFault.HUGE | WireFault.HUGE_UNSTATED:
                self._send_huge(connection, step)
            case _:
                self._send_spoilt(connection, step, self._answer(request))

    def _send_huge(self, connection: socket.socket, step: WireStep) -> None:
        length = {"Content-Length": str(step.size)} if step.fault is WireFault.HUGE else {}
        connection.sendall(_head(length))
        for sent in range(0, step.size, len(_CHUNK)):
            connection.sendall(_CHUNK[: step.size - sent])

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
        """The whole answer, from the server behind if there is one."""
        if self._upstream is None:
            return _head({"Content-Length": str(len(_CANNED))}, close=False) + _CANNED
        address = (self._upstream.hostname or "127.0.0.1", self._upstream.port or 80)
        with socket.create_connection(address, timeout=_STOP_SECONDS) as upstream:
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
            self._records.append(WireRecord(step.fault, time.monotonic()))
        return step


def _step(item: WireStep | WireFault) -> WireStep:
    return item if isinstance(item, WireStep) else WireStep(fault=item)


def _head(headers: dict[str, str], content_type: str = "application/json", *, close: bool = True) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {content_type}", *(["Connection: close"] if close else [])]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _read_message(connection: socket.socket) -> bytes:
    """Read one HTTP message whose length is stated in its head; empty when the peer closes before its end.

    A part of a request must not be passed on: the server behind would wait for the rest for ever.
    """
    received = b""
    while b"\r\n\r\n" not in received:
        data = connection.recv(65_536)
        if not data:
            return b""
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    missing = _stated_length(head) - len(body)
    parts = [received]
    while missing > 0:
        data = connection.recv(65_536)
        if not data:
            return b""
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)


def _stated_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _reset(connection: socket.socket) -> None:
    """Close with a reset instead of an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
