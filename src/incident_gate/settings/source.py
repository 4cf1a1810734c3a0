"""Address and token of DataHub: where each may come from, in which order, as DataHub's own tools read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from incident_gate.errors import SettingError
from incident_gate.files import FileError, read_regular
from incident_gate.manifest.model import Mistakes, UnreadableError
from incident_gate.manifest.yaml import Kind, MappingNode, Node, ScalarNode, read_nodes

URL, TOKEN = "DATAHUB_GMS_URL", "DATAHUB_GMS_TOKEN"
HOST, PORT, PROTOCOL = "DATAHUB_GMS_HOST", "DATAHUB_GMS_PORT", "DATAHUB_GMS_PROTOCOL"
TOKEN_FILE = "DATAHUB_AUTH_TOKEN_FILE"  # noqa: S105
SKIP_CONFIG = "DATAHUB_SKIP_CONFIG"
CONFIG = "~/.datahubenv"
# A token is a few kilobytes; a file that is longer is another file.
_LONGEST_FILE = 64 * 1024


class Sourced(NamedTuple):
    """A value with the setting that it came from, as its user knows it; both are empty where nothing was set."""

    value: str = ""
    setting: str = ""


class Sources(NamedTuple):
    """Where DataHub is, who asks, and what the user should know about both."""

    url: Sourced
    token: Sourced
    notices: tuple[str, ...] = ()


def sources(url: Sourced, token: Sourced, environment: Mapping[str, str], config: Path | None) -> Sources:
    """Find address and token: as set, in the variables, or in a file whose token goes to its own address only."""
    notices: tuple[str, ...] = ()
    if not url.value:
        from_url, from_host = Sourced(_variable(environment, URL), URL), _host_url(environment)
        url = from_url if from_url.value else from_host
        one, other = _shown(from_url.value), _shown(from_host.value)
        if from_url.value and from_host.value and one != other:
            used = f"{URL} is used ({one}), not {HOST} ({other})"
            notices = (f"{URL} and {HOST} name different servers: {used}. Unset one of them.",)
    if not token.value:
        token = token_of(environment)
    if not url.value and config is not None:
        server, own_token = _configured(config)
        url = Sourced(server, CONFIG)
        token = token if token.value or not server else Sourced(own_token, CONFIG)
    return Sources(url if url.value else Sourced(), token if token.value else Sourced(), notices)


def token_of(environment: Mapping[str, str]) -> Sourced:
    """The token that the environment names, or the file that it names."""
    if value := _variable(environment, TOKEN):
        return Sourced(value, TOKEN)
    path = _variable(environment, TOKEN_FILE)
    if not path:
        return Sourced()
    token = _read(Path(path), TOKEN_FILE).strip()
    if not token:
        raise SettingError(f"The file that {TOKEN_FILE} names is empty.", hint="Write the token into it.")
    return Sourced(token, TOKEN_FILE)


def config_of(environment: Mapping[str, str]) -> Path | None:
    """DataHub's own configuration file, unless there is none or the environment excludes it."""
    home = environment.get("HOME") or environment.get("USERPROFILE")
    if not home or environment.get(SKIP_CONFIG, "").strip().lower() in {"true", "1", "yes"}:
        return None
    path = Path(home) / ".datahubenv"
    return path if path.exists() else None


def _host_url(environment: Mapping[str, str]) -> Sourced:
    """The address that host, port and protocol make; the host is often a whole URL."""
    host = _variable(environment, HOST)
    if not host:
        return Sourced()
    # Kubernetes sets a service's variable of this name to tcp://10.0.0.1:8080.
    port = _variable(environment, PORT).rpartition(":")[2]
    if port and not (port.isascii() and port.isdecimal()):
        raise SettingError(f"{PORT} is {port[:80]!r}.", hint="Use a number, like 8080.")
    scheme, separator, rest = host.rpartition("://")
    if not separator:
        scheme = _variable(environment, PROTOCOL).lower().removesuffix("://") or "http"
    if scheme.lower() not in {"http", "https"}:
        where = HOST if separator else PROTOCOL
        raise SettingError(f"The protocol in {where} is {scheme[:80]!r}.", hint="Use http or https.")
    authority, slash, path = rest.partition("/")
    if authority.count(":") > 1 and not authority.startswith("["):
        authority = f"[{authority}]"
    if port and not re.search(r":\d+$", authority):
        authority = f"{authority}:{port}"
    return Sourced(f"{scheme}://{authority}{slash}{path}", HOST)


def _configured(path: Path) -> tuple[str, str]:
    """Server and token of DataHub's own configuration file, read within the limits of a manifest."""
    try:
        content = read_nodes(_read(path, CONFIG).encode(), Mistakes(), None)
    except UnreadableError:
        # Its text is not quoted: it holds the token.
        raise SettingError(f"{CONFIG} is not valid YAML.", hint=f"Correct it, or set {SKIP_CONFIG}=true.") from None
    return _scalar(content, "gms", "server"), _scalar(content, "gms", "token")


def _scalar(node: Node | None, *path: str) -> str:
    """The text at a path of keys; empty where there is none."""
    for key in path:
        pairs = node.pairs if isinstance(node, MappingNode) else ()
        node = next((value for name, value in pairs if name.text == key), None)
    return node.text.strip() if isinstance(node, ScalarNode) and node.kind is not Kind.NULL else ""


def _read(path: Path, setting: str) -> str:
    try:
        return read_regular(path, max_bytes=_LONGEST_FILE).decode()
    except (FileError, UnicodeDecodeError) as error:
        problem = error if isinstance(error, FileError) else "is not a text file"
        named = setting if setting == CONFIG else f"The file that {setting} names"
        raise SettingError(f"{named} {problem}.", hint="Check its path and permissions.") from None


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, "").strip()


def _shown(url: str) -> str:
    """Scheme, host and port of an address, without credentials and path."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return "an invalid address"
    return f"{parts.scheme}://{host}:{port}" if host else "an invalid address"
