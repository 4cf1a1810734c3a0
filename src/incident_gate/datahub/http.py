"""The HTTP client that carries the token: which certificates and which proxy it uses, and which headers it sends."""

from __future__ import annotations

import os
import ssl

import httpx

from incident_gate import __version__
from incident_gate.datahub.connection import Connection
from incident_gate.errors import SettingError


def open_client(connection: Connection, *, connections: int) -> httpx.Client:
    """Open the client for one server.

    Proxy variables are honoured; redirects are never followed, because the token would go along.

    Args:
        connection: Where to and with what.
        connections: How many are kept open for further requests.

    Raises:
        SettingError: The CA bundle or the proxy cannot be used.
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
    trust = _trust(connection)
    try:
        return httpx.Client(
            headers=headers,
            verify=trust,
            follow_redirects=False,
            # Not bounded: a request that is given up keeps its connection, and must not stand in the next one's way.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=connections),
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        # Not quoted: a proxy's address may hold a password.
        raise SettingError(
            "The proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names cannot be used.",
            hint="It must be like http://proxy.example.com:3128; a SOCKS proxy is not supported.",
        ) from None


def _trust(connection: Connection) -> ssl.SSLContext:
    if not connection.address.is_encrypted:
        # Loading the CAs costs as much as the request itself; without TLS nobody is verified. The context stays strict:
        # should anything use it after all, it trusts nobody.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    source = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or ""
    try:
        if source:
            context = ssl.create_default_context(
                cafile=os.environ.get("SSL_CERT_FILE") or None, capath=os.environ.get("SSL_CERT_DIR") or None
            )
        else:
            import certifi  # noqa: PLC0415 - needed for TLS with the public CAs only

            context = ssl.create_default_context(cafile=certifi.where())
    except (OSError, ssl.SSLError) as error:
        raise SettingError(
            f"SSL_CERT_FILE cannot be used: {error}.", hint="It must name a file of PEM certificates."
        ) from None
    if connection.ca_bundle:
        try:
            context.load_verify_locations(cafile=connection.ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise SettingError(
                f"ca-bundle {connection.ca_bundle.name} cannot be used: {error}.",
                hint="It must be a file of PEM certificates below the workspace.",
            ) from None
    return context
