"""The HTTP client that carries the token: which certificates and which proxy it uses, and which headers it sends."""

from __future__ import annotations

import os
import ssl

import certifi
import httpx

from incident_gate import __version__
from incident_gate.datahub.connection import Connection
from incident_gate.datahub.proxy import Proxy
from incident_gate.errors import SettingError


def open_client(connection: Connection, *, connections: int) -> httpx.Client:
    """Open the client for one server.

    It reads no environment: proxy and certificates are settings. Redirects are never followed, because the token would
    go along.

    Args:
        connection: The server, and what is sent with every request.
        connections: How many are kept open for further requests.

    Raises:
        SettingError: A file of certificates cannot be used.
    """
    headers = {
        "Accept": "application/json",
        # An answer is small, and one that inflates beyond its size cannot come.
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": f"datahub-incident-gate/{__version__}",
        **connection.headers,
    }
    if connection.token:
        headers["Authorization"] = f"Bearer {connection.token}"
    return httpx.Client(
        headers=headers,
        verify=_trust(connection),
        proxy=_proxy(connection.proxy, connection),
        trust_env=False,
        follow_redirects=False,
        # Not bounded: a request that is given up keeps its connection, and must not block the next one.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=connections),
    )


def open_service_client(connection: Connection, proxy: Proxy) -> httpx.Client:
    """Open a client for another service than DataHub: with the same certificates, and with none of its secrets.

    Raises:
        SettingError: A file of certificates cannot be used.
    """
    context = _with_bundle(_public_trust(connection), connection)
    return httpx.Client(
        headers={"Accept-Encoding": "identity", "User-Agent": f"datahub-incident-gate/{__version__}"},
        verify=context,
        proxy=_proxy(proxy, connection),
        trust_env=False,
        follow_redirects=False,
    )


def _proxy(proxy: Proxy, connection: Connection) -> httpx.Proxy | None:
    if not proxy.url:
        return None
    return httpx.Proxy(proxy.url, ssl_context=_public_trust(connection) if proxy.url.startswith("https:") else None)


def _trust(connection: Connection) -> ssl.SSLContext:
    # Loading the public CAs takes as long as a request. Without TLS they are not needed: the context that is left
    # trusts nobody, should anything use it after all.
    encrypted = connection.address.is_encrypted
    context = _public_trust(connection) if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _with_bundle(context, connection)


def _with_bundle(context: ssl.SSLContext, connection: Connection) -> ssl.SSLContext:
    if connection.ca_bundle:
        try:
            context.load_verify_locations(cafile=connection.ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise SettingError(
                f"{connection.named('ca-bundle')} {connection.ca_bundle.name} cannot be used: {_reason(error)}.",
                hint="It must be a file of PEM certificates.",
            ) from None
    return context


def _public_trust(connection: Connection) -> ssl.SSLContext:
    file, folder = connection.certificate_file, connection.certificate_folder
    if not file and not folder:
        file = certifi.where()  # OpenSSL 3.0 takes 14 ms to load it
    try:
        if folder and not os.path.isdir(folder):  # noqa: PTH112 - OpenSSL ignores a folder that does not exist
            raise SettingError("SSL_CERT_DIR is not a folder.", hint="It must be a folder of hashed certificates.")
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingError(
            f"SSL_CERT_FILE cannot be used: {_reason(error)}.", hint="It must be a file of PEM certificates."
        ) from None


def _reason(error: OSError) -> str:
    return error.strerror if error.strerror and not isinstance(error, ssl.SSLError) else str(error)
