"""Which proxy a request goes through, by the variables that curl and Go read."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from incident_gate.errors import SettingError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[\w.-]+")


class Proxy(NamedTuple):
    """The proxy for one address; `url` is empty where the connection is direct.

    Args:
        url: The proxy's address, perhaps with credentials.
        variable: The variable that names it.
        exempt: The entry of `NO_PROXY` that makes the connection direct.
        notices: What the user should know about the variables.
    """

    url: str = ""
    variable: str = ""
    exempt: str = ""
    notices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without credentials."""
        return f"Proxy({self.server!r})"

    @property
    def server(self) -> str:
        """Scheme, host and port, without credentials."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if self.url else ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password, as it is written and as it is sent."""
        parts = urlsplit(self.url)
        if not parts.password:
            return ()
        user, password = unquote(parts.username or ""), unquote(parts.password)
        return parts.password, password, b64encode(f"{user}:{password}".encode()).decode()


DIRECT = Proxy()


def proxy_for(url: str, environment: Mapping[str, str]) -> Proxy:
    """Choose the proxy for an address.

    Raises:
        SettingError: The proxy that applies cannot be used.
    """
    parts = urlsplit(url)
    variable, value = _first(environment, f"{parts.scheme}_proxy", "all_proxy")
    if not value:
        return DIRECT
    no_proxy, entries = _first(environment, "no_proxy")
    host, port = (parts.hostname or "").rstrip("."), parts.port or _DEFAULT_PORTS[parts.scheme]
    unusable: list[str] = []
    exempt = ""
    for entry in re.split(r"[,\s]+", entries):
        try:
            exempt = exempt or (entry if entry and _covers(entry, host, port) else "")
        except ValueError:
            unusable.append(entry)
    notices = (f"{no_proxy} has entries that cannot be used: {', '.join(unusable)[:500]}.",) if unusable else ()
    if exempt:
        return Proxy(variable=variable, exempt=exempt, notices=notices)
    return Proxy(_usable(value, variable), variable, notices=notices)


def _first(environment: Mapping[str, str], *names: str) -> tuple[str, str]:
    """The first variable that is set, lower case first, as curl reads them."""
    spelled = [spelling for name in names for spelling in (name, name.upper())]
    return next(((name, value) for name in spelled if (value := environment.get(name, "").strip())), ("", ""))


def _usable(value: str, variable: str) -> str:
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        _ = parts.port
        if parts.scheme in {"http", "https"} and parts.hostname:
            return url
    except ValueError:
        pass
    # Not quoted: a proxy's address may hold a password.
    raise SettingError(
        f"The proxy that {variable} names cannot be used.",
        hint="Use an address like http://proxy.example.com:3128; SOCKS proxies are not supported.",
    )


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of `NO_PROXY` covers a host.

    An entry is `*`, a name (which covers its subdomains), `.name`, `*.name` (subdomains only), an address or a range of
    addresses, and all but ranges may have a port.

    Raises:
        ValueError: The entry is nothing of this.
    """
    if entry == "*":
        return True
    if "/" in entry:
        start, _, bits = entry.partition("/")
        # macOS writes ranges like 169.254/16.
        missing = 3 - start.count(".") if re.fullmatch(r"[\d.]+", start) else 0
        network = ip_network(f"{start.strip('[]')}{'.0' * missing}/{bits}", strict=False)
        return (own := _address(host)) is not None and own in network
    name, entry_port = _split_port(entry)
    if entry_port not in {None, port}:
        return False
    numeric = _address(host)
    if address := _address(name):
        return address == numeric
    if ":" in name or not _HOST.fullmatch(name.removeprefix("*.")):
        raise ValueError(entry)
    suffix = name.removeprefix("*").lstrip(".").rstrip(".").lower()
    covered = host.endswith(f".{suffix}") or (host == suffix and not name.startswith("*."))
    return covered and numeric is None


def _split_port(entry: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d{1,5})", entry, re.ASCII)
    name, port = (match[1], int(match[2])) if match else (entry, None)
    return name[1:-1] if name.startswith("[") and name.endswith("]") else name, port


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # ::ffff:10.0.0.1 is 10.0.0.1.
    return getattr(address, "ipv4_mapped", None) or address
