"""Whether a server that closes each connection without an answer speaks HTTP at all."""

from __future__ import annotations

import socket

_START = b"HTTP/"


def speaks_http(host: str, port: int, seconds: float) -> bool:
    """Whether the first bytes may be those of an HTTP answer; True where none come. Nothing secret is sent."""
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            received = connection.recv(len(_START))
    except OSError:
        return True
    return _START.startswith(received[: len(_START)])
