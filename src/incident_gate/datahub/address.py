"""Where DataHub is: the many forms in which people hold "the DataHub URL", brought to one."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from incident_gate.errors import SettingError

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
    """Find the GraphQL endpoint and the UI of the server that a user means.

    Args:
        url: A server, UI or GraphQL address as people copy it from a browser, a Helm value or `~/.datahubenv`.
        setting: The input, option or variable that it came from, for the message.
        ui_url: Base of the links to the UI; derived from `url` if empty.
        ui_setting: The setting that `ui_url` came from.

    Raises:
        SettingError: It is no http(s) URL, or it carries credentials, a query or a fragment.
    """
    parts = _split(url, setting)
    base = _base_path(parts.path)
    host = _host(parts)
    graphql = parts.path.rstrip("/") if _is_endpoint(parts.path) else f"{base}{_endpoint(parts.path)}"
    if ui_url:
        ui = _split(ui_url, ui_setting)
        ui_base = f"{ui.scheme}://{ui.netloc}{ui.path.rstrip('/')}"
    else:
        ui_base = f"{parts.scheme}://{_ui_host(parts)}{base}"
    return Address(f"{parts.scheme}://{host}{graphql}", ui_base, f"{host.lower()}{base}", setting)


def _split(url: str, setting: str) -> SplitResult:
    text = url.strip()
    if re.search(r"[\x00-\x20\x7f\\]", text):
        raise SettingError(f"{setting} holds a space or a control character.", hint=f"Give it like {EXAMPLE}.")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise SettingError(f"{setting} is not a URL: {error}.", hint=f"Give it like {EXAMPLE}.") from None
    if parts.username is not None or parts.password is not None:
        # The value is not quoted: it holds a secret.
        raise SettingError(f"{setting} carries credentials.", hint="Remove them; the token has a setting of its own.")
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        # Quoted only if it cannot be `user:password@host` without the scheme.
        shown = "" if "@" in text else f": {text[:200]!r}"
        raise SettingError(f"{setting} is not an http(s) URL{shown}.", hint=f"Give it like {EXAMPLE}.")
    if parts.query or parts.fragment:
        # Not quoted: tokens are passed in queries.
        raise SettingError(f"{setting} has a query or a fragment.", hint="Give the server's address without them.")
    if not all(0 < len(label) <= _LONGEST_LABEL for label in parts.hostname.removesuffix(".").split(".")):
        raise SettingError(f"{setting} names an impossible host: {parts.hostname[:200]!r}.", hint=f"Like {EXAMPLE}.")
    return parts


def _host(parts: SplitResult) -> str:
    name = parts.hostname or ""
    if ":" in name:
        name = f"[{name}]"
    return name if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{name}:{parts.port}"


def _is_endpoint(path: str) -> bool:
    return path.rstrip("/").endswith("/graphql")


def _base_path(path: str) -> str:
    """The path before the API: empty, unless DataHub lives below a path."""
    return re.sub(r"(/api)?(/gms)?(/api)?(/graph(i?)ql)?$", "", path.rstrip("/"))


def _endpoint(path: str) -> str:
    # `/gms` is the SDK's form on DataHub Cloud and proxies to the metadata service. `/api/gms` is an older form whose
    # own endpoint is not on every server, while `/api/graphql` is.
    return "/gms/api/graphql" if re.search(r"(?<!/api)/gms$", path.rstrip("/")) else "/api/graphql"


def _ui_host(parts: SplitResult) -> str:
    """A self-hosted metadata service has no pages: they are on the front end beside it."""
    name = parts.hostname or ""
    if parts.port == _GMS_PORT and (name in _LOCAL_HOSTS or "datahub-gms" in name):
        front = name.replace("datahub-gms", "datahub-frontend")
        return f"[{front}]:{_UI_PORT}" if ":" in front else f"{front}:{_UI_PORT}"
    return _host(parts)
