"""How DataHub is reached: its address in the forms that users know it by, the proxy, and what goes with a request."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from incident_gate.errors import Hint, SettingError

EXAMPLE = "https://datahub.example.com or http://datahub-gms:8080"

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Quick start and Helm chart both give the metadata service port 8080 and the UI 9002.
_GMS_PORT, _UI_PORT = 8080, 9002
_LONGEST_LABEL = 63  # of a name in DNS
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


class Address(NamedTuple):
    """One DataHub server.

    `server` names it in keys: host and port without the form in which the URL was given. `setting` is the input, option
    or variable that the URL came from.
    """

    graphql_url: str
    ui_url: str
    server: str
    setting: str = "datahub-url"

    @property
    def is_encrypted(self) -> bool:
        """Whether the token travels under TLS."""
        return self.graphql_url.startswith("https:")

    @property
    def is_local(self) -> bool:
        """Whether the token stays on this machine."""
        return (urlsplit(self.graphql_url).hostname or "") in _LOCAL_HOSTS


def parse_address(url: str, *, setting: str, ui_url: str = "", ui_setting: str = "datahub-ui-url") -> Address:
    """Find the GraphQL endpoint and the UI of the server that a user means, in any form in which its address is known.

    Raises:
        SettingError: It is no http(s) URL, or it carries credentials, a query or a fragment.
    """
    parts = _split(url, setting)
    host, path = _host(parts), parts.path.rstrip("/")
    # What is before the API: nothing, unless DataHub lives below a path.
    base = re.sub(r"(/api)?(/gms)?(/api)?(/graph(i?)ql)?$", "", path)
    if path.endswith("/graphql"):
        graphql = path
    elif re.search(r"(?<!/api)/gms$", path):
        graphql = f"{base}/gms/api/graphql"  # the SDK's form on DataHub Cloud; it proxies to the metadata service
    else:
        # For `/api/gms` as well, an older form whose own endpoint is not on every server.
        graphql = f"{base}/api/graphql"
    if ui_url:
        ui = _split(ui_url, ui_setting)
        ui_base = f"{ui.scheme}://{ui.netloc}{ui.path.rstrip('/')}"
    else:
        ui_base = f"{parts.scheme}://{_ui_host(parts)}{base}"
    return Address(f"{parts.scheme}://{host}{graphql}", ui_base, f"{host.lower()}{base}", setting)


def _split(url: str, setting: str) -> SplitResult:
    def wrong(what: str, hint: str = f"Give it like {EXAMPLE}.") -> SettingError:
        return SettingError(f"{setting} {what}.", hint=hint)

    text = url.strip()
    if re.search(r"[\x00-\x20\x7f\\]", text):
        raise wrong("holds a space or a control character")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise wrong(f"is not a URL: {error}") from None
    if parts.username is not None or parts.password is not None:
        # The value is not quoted: it holds a secret.
        raise wrong("carries credentials", "Remove them; the token has a setting of its own.")
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        # Quoted only if it cannot be `user:password@host` without the scheme.
        shown = "" if "@" in text else f": {text[:200]!r}"
        raise wrong(f"is not an http(s) URL{shown}", f"Begin it with http:// or https://, like {EXAMPLE}.")
    if parts.query or parts.fragment:
        # Not quoted: tokens are passed in queries.
        raise wrong("has a query or a fragment", "Give the server's address without them.")
    if not all(0 < len(label) <= _LONGEST_LABEL for label in parts.hostname.removesuffix(".").split(".")):
        raise wrong(f"names an impossible host: {parts.hostname[:200]!r}")
    return parts


def _host(parts: SplitResult) -> str:
    name = parts.hostname or ""
    if ":" in name:
        name = f"[{name}]"
    return name if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{name}:{parts.port}"


def _ui_host(parts: SplitResult) -> str:
    """A self-hosted metadata service has no pages: they are on the front end beside it."""
    name = parts.hostname or ""
    if parts.port == _GMS_PORT and (name in _LOCAL_HOSTS or "datahub-gms" in name):
        front = name.replace("datahub-gms", "datahub-frontend")
        return f"[{front}]:{_UI_PORT}" if ":" in front else f"{front}:{_UI_PORT}"
    return _host(parts)


class Proxy(NamedTuple):
    """The proxy for one address, perhaps with credentials; `url` is empty where the connection is direct.

    `variable` names it, and `exempt` is the entry of `NO_PROXY` that makes the connection direct.
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
    addresses, and all but ranges may have a port. Anything else raises `ValueError`.
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
    if ":" in name or not re.fullmatch(r"[\w.-]+", name.removeprefix("*.")):
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


SHORTEST_SECRET = 8
_SCHEME = re.compile(r"(?:basic|bearer|token|apikey) +(\S{8,})", re.IGNORECASE)
_SECRET_NAME = re.compile("auth|token|key|secret|cookie|password|credential", re.IGNORECASE)


class Spelling(StrEnum):
    """How an option is spelled where the user sets it."""

    INPUT = "input"  # of the action
    OPTION = "option"  # of the command line
    ARGUMENT = "argument"  # of the library

    def of(self, option: str, variable: str = "") -> str:
        """The option's name; or the variable, where one may set it and the environment is read."""
        if self is Spelling.ARGUMENT:
            return option.replace("-", "_")
        named = f"--{option}" if self is Spelling.OPTION else option
        return f"{named} or {variable}" if variable else named


class Connection(NamedTuple):
    """How to reach DataHub; secrets are not in its repr.

    `token_setting` is the input, option, variable or file that the token came from. `ca_bundle` has certificate
    authorities besides the public ones, which are those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, else certifi's.
    """

    address: Address
    token: str
    token_setting: str = ""
    headers: Mapping[str, str] = MappingProxyType({})
    ca_bundle: Path | None = None
    certificate_file: str = ""
    certificate_folder: str = ""
    proxy: Proxy = DIRECT
    spelling: Spelling = Spelling.INPUT

    def __repr__(self) -> str:
        """Without token and headers."""
        return f"Connection({self.address!r}, proxy={self.proxy!r})"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that no text from a server or an exception may show."""
        in_headers = (secret for item in self.headers.items() for secret in header_secrets(*item))
        found = (self.token, *self.proxy.secrets, *in_headers)
        return tuple(secret for secret in found if len(secret) >= SHORTEST_SECRET)

    def named(self, option: str, variable: str = "") -> str:
        """A setting as its user knows it, or the variable."""
        if option == "datahub-url":
            return self.address.setting
        if option == "datahub-token" and self.token_setting:
            return self.token_setting
        return self.spelling.of(option, variable)

    def resolved(self, text: str) -> str:
        """A text of our own with the settings as their user knows them; any other text as it is."""
        return text.resolved(self.named) if isinstance(text, Hint) else text


def header_secrets(name: str, value: str) -> tuple[str, ...]:
    """What of a header is secret: its whole value, and a credential that follows an authentication scheme.

    Any other value is none: masking `1`, `true` or `production` would make the job's whole log unreadable.
    """
    if len(value) < SHORTEST_SECRET:
        return ()
    if not _SECRET_NAME.search(name) and all(character.isalpha() or character in " -." for character in value):
        return ()
    scheme = _SCHEME.fullmatch(value)
    return (value, scheme[1]) if scheme else (value,)
