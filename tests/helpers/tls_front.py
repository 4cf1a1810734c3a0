"""A TLS server in front of a plain one, with a certificate that only its own authority vouches for."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import trustme


@contextlib.contextmanager
def tls_front(url: str) -> Iterator[tuple[str, bytes]]:
    """Serve `url` over TLS; yields the new address and the authority's certificate as PEM."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    behind = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = (behind.hostname or "", behind.port or 80)
        threading.Thread(target=_accept, args=(listener, context, address), daemon=True).start()
        yield f"https://localhost:{listener.getsockname()[1]}", authority.cert_pem.bytes()
        # A thread blocked in accept() keeps the socket open; only this wakes it.
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, context: ssl.SSLContext, behind: tuple[str, int]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_exchange, args=(client, context, behind), daemon=True).start()


def _exchange(client: socket.socket, context: ssl.SSLContext, behind: tuple[str, int]) -> None:
    """One request and its answer; the server behind closes, so that its end is the answer's end."""
    # A client that does not trust the certificate ends here.
    with contextlib.suppress(OSError), client, context.wrap_socket(client, server_side=True) as outer:
        request = _read_request(outer)
        with socket.create_connection(behind) as inner:
            inner.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            while chunk := inner.recv(65_536):
                outer.sendall(chunk)


def _read_request(stream: ssl.SSLSocket) -> bytes:
    """Headers and a body of the length that they say."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += stream.recv(65_536)
    head, body = request.split(b"\r\n\r\n", 1)
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    while len(body) < length:
        body += stream.recv(65_536)
    connection = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:"))
    return connection + b"\r\n\r\n" + body
