"""Where each setting of the connection came from."""

from __future__ import annotations

from collections.abc import Iterator

from incident_gate.datahub.connection import Connection


def origins(connection: Connection) -> str:
    """One sentence for each setting of the connection, with the option, variable or file that set it."""
    return " ".join(_sentences(connection))


def _sentences(connection: Connection) -> Iterator[str]:
    yield f"The address comes from {connection.address.setting}."
    yield f"The token comes from {connection.token_setting}." if connection.token else "There is no token."
    proxy = connection.proxy
    if proxy.url:
        yield f"Requests go through the proxy {proxy.server}, which {proxy.variable} names."
    elif proxy.exempt:
        yield f"Requests go past the proxy that {proxy.variable} names: {proxy.exempt} in NO_PROXY covers the address."
    if connection.address.is_encrypted:
        names = {"SSL_CERT_FILE": connection.certificate_file, "SSL_CERT_DIR": connection.certificate_folder}
        public = " and ".join(name for name, value in names.items() if value) or "certifi"
        own = f", and those of {connection.named('ca-bundle')}" if connection.ca_bundle else ""
        yield f"Certificate authorities are those of {public}{own}."
