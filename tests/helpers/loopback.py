"""Real servers on loopback that stand before another one: TLS, and a proxy."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import trustme


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve each connection in a thread of its own; yields the port."""

    def connection(client: socket.socket) -> None:
        # A peer that ends the conversation is no failure of the server's.
        with client, contextlib.suppress(OSError):
            serve(client)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=connection, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def tls_front(url: str, authority: trustme.CA, *names: str) -> Iterator[int]:
    """Serve `url` over TLS with a certificate for these names; yields the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)

    def serve(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as outer:
            relay(outer, urlsplit(url).hostname or "", urlsplit(url).port or 80)

    with listening(serve) as port:
        yield port


@dataclass(slots=True)
class Proxy:
    """A forward proxy and what it was asked: the head of each request, as it came. `refuses` is a status line."""

    refuses: str = ""
    heads: list[str] = field(default_factory=list)

    def serve(self, client: socket.socket) -> None:
        """One tunnel, or one request in the absolute form."""
        head, rest = read_head(client)
        self.heads.append(head)
        method, target, _ = head.split("\r\n")[0].split(" ")
        if self.refuses:
            client.sendall(f"HTTP/1.1 {self.refuses}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        elif method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            host, _, port = target.rpartition(":")
            relay(client, host, int(port))
        else:
            url = urlsplit(target)
            request = head.replace(target, url.path, 1).encode() + b"\r\n\r\n" + rest
            relay(client, url.hostname or "", url.port or 80, request)

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Serve; yields the proxy's address."""
        with listening(self.serve) as port:
            yield f"http://127.0.0.1:{port}"


def read_head(client: socket.socket) -> tuple[str, bytes]:
    """A request's head and what came after it already."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (data := client.recv(65_536)):
            raise ConnectionError("no request came")
        received += data
    head, _, rest = received.partition(b"\r\n\r\n")
    return head.decode(), rest


def answer_all(client: socket.socket, answer: bytes) -> None:
    """Answer a request and end the conversation.

    The rest of the request is read first: a socket that is closed with bytes unread resets the connection, and the
    answer may be lost with it.
    """
    read_head(client)
    client.sendall(answer)
    client.shutdown(socket.SHUT_WR)
    client.settimeout(1)
    while client.recv(65_536):
        pass


def relay(outer: socket.socket, host: str, port: int, first: bytes = b"") -> None:
    """Pass bytes on in both directions until either side is done."""
    with socket.create_connection((host, port)) as inner:
        inner.sendall(first)

        def back() -> None:
            with contextlib.suppress(OSError, ValueError):
                while data := inner.recv(65_536):
                    outer.sendall(data)
                outer.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=back, daemon=True).start()
        with contextlib.suppress(OSError):
            while data := outer.recv(65_536):
                inner.sendall(data)
