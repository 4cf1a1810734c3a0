"""Parsers of option values: text in, a checked value out, or a `SettingError` that names what the user set."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from incident_gate.ci.run import canonical_matrix
from incident_gate.errors import SettingError
from incident_gate.text import one_of, plain
from incident_gate.urn import Urn, UrnError, nearest, parse_urn

T = TypeVar("T")

# Settings are quoted in errors up to this length.
_SHOWN = 80
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+) ?([smhd]?)", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# These belong to the request itself: a second value would change what is asked, or where.
_RESERVED_HEADERS = {
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}
_WHSEC, _KEY_BYTES = "whsec_", range(24, 65)
REPORT_FORMATS = ("json", "junit", "markdown")
STANDARD_OUTPUT = "-"


class ReportFile(NamedTuple):
    """A report to write: its format, and its path as the user wrote it (`-` is standard output)."""

    format: str
    path: str


def text(value: str, _setting: str) -> str:
    """Any text."""
    return value


def bounded(limit: int, value: str, setting: str) -> str:
    """Text of at most `limit` characters."""
    if len(value) > limit:
        raise SettingError(f"{setting} has {len(value):,} characters.", hint=f"The limit is {limit:,}.")
    return value


def reason(value: str, setting: str) -> str:
    """A reason on one line. Without a character that can be seen it is none."""
    found = " ".join(bounded(500, value, setting).split())
    return found if plain(found) else ""


def flag(value: str, setting: str) -> bool:
    """True or false in the words of YAML 1.2's core schema, as GitHub's own toolkit accepts them."""
    if value not in {"", "true", "True", "TRUE", "false", "False", "FALSE"}:
        raise SettingError(f"{setting} is {shown(value)}.", hint="Use true or false.")
    return value.lower() == "true"


def choice(members: Mapping[str, T], value: str, setting: str) -> T | None:
    """What one of a few words means, or None where nothing was set."""
    if value and value not in members:
        raise SettingError(f"{setting} is {shown(value)}.", hint=f"Use {one_of(members)}.")
    return members.get(value)


def lines(value: str, _setting: str) -> tuple[str, ...]:
    """What stands on each line that is not blank."""
    return tuple(line.strip() for line in value.splitlines() if line.strip())


def urns(value: str, setting: str) -> tuple[Urn, ...]:
    """URNs, one a line, each once; every line that is none is reported."""
    found: dict[Urn, None] = {}
    errors: list[str] = []
    for number, line in enumerate(lines(value, setting), start=1):
        try:
            found[parse_urn(line)] = None
        except UrnError as error:
            errors.append(f"{setting}, URN {number}: {error}")
    if errors:
        raise SettingError("\n".join(errors))
    return tuple(found)


def items(value: str, _setting: str) -> tuple[str, ...]:
    """Items separated by commas or lines."""
    return tuple(item.strip() for item in re.split(r"[,\n]", value) if item.strip())


def items_of(words: Iterable[str], value: str, setting: str) -> frozenset[str]:
    """Items separated by commas or lines, each one of `words`."""
    known, found = tuple(words), items(value, setting)
    if wrong := next((item for item in found if item not in known), ""):
        near = nearest(wrong, known).strip('"')
        hint = f"Did you mean {near}?" if near else f"Use any of: {', '.join(known)}."
        raise SettingError(f"{setting} has {shown(wrong)}.", hint=hint)
    return frozenset(found)


def duration(value: str, setting: str) -> float:
    """A duration in seconds: a number with a unit (`90s`, `30m`, `2h`, `1d`); without a unit it is seconds."""
    match = _DURATION.fullmatch(value.strip().lower())
    if not match:
        raise SettingError(f"{setting} is {shown(value)}.", hint="Use a number with a unit, like 90s, 30m or 2h.")
    return float(match[1]) * _UNITS[match[2]]


def interval(value: str, setting: str) -> float:
    """A duration that is not zero."""
    found = duration(value, setting)
    if not found:
        raise SettingError(f"{setting} is {shown(value)}.", hint="Use more than zero, like 60s.")
    return found


def timeout(longest: float, value: str, setting: str) -> float:
    """A duration that is not zero, up to `longest` seconds."""
    found = interval(value, setting)
    if found > longest:
        raise SettingError(f"{setting} is {shown(value)}.", hint=f"Use up to {longest / 3600:.0f}h.")
    return found


def count(most: int, value: str, setting: str) -> int:
    """A whole number from 0 to `most`."""
    if not (value.isascii() and value.isdecimal() and int(value[:10]) <= most):
        raise SettingError(f"{setting} is {shown(value)}.", hint=f"Use a whole number from 0 to {most}.")
    return int(value)


def secret(value: str, setting: str) -> str:
    """A token: never quoted in an error."""
    if re.search(r"[^\x21-\x7e]", value):
        raise SettingError(
            f"{setting} has a character that no token has: a space, a line break or a letter outside ASCII.",
            hint="Copy the token into the secret again, without quotes or line breaks.",
        )
    return value


def webhook_secret(value: str, setting: str) -> str:
    """A signing secret of the Standard Webhooks convention. Never quoted in an error."""
    prefix, encoded = value[: len(_WHSEC)], value[len(_WHSEC) :]
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        key = b""
    if value and (prefix != _WHSEC or len(key) not in _KEY_BYTES):
        raise SettingError(
            f"{setting} is not a signing secret.", hint="Use `whsec_` followed by 24 to 64 random bytes in base64."
        )
    return value


def service_url(value: str, setting: str) -> str:
    """The address of a service that is notified: https, or http to a loopback address. Never quoted: it is a secret."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise SettingError(f"{setting} is not a URL.", hint="Use an https address.") from None
    is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK_HOSTS
    if not parts.hostname or not (parts.scheme == "https" or is_local) or re.search(r"[^\x21-\x7e]", value):
        raise SettingError(
            f"{setting} is not an https address.", hint="Use https; http is for addresses of this machine only."
        )
    return value


def headers(value: str, setting: str) -> Mapping[str, str]:
    """Extra request headers, one `Name: value` a line; a line is never quoted, because its value may be a secret."""
    found: dict[str, str] = {}
    for number, line in enumerate(value.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, content = (part.strip() for part in line.partition(":"))
        where = f"{setting}, line {number}:"
        if not colon or not _HEADER_NAME.fullmatch(name):
            raise SettingError(f"{where} this is not a header.", hint="Use `Name: value`, one a line.")
        if name.lower() in _RESERVED_HEADERS:
            raise SettingError(f"{where} {name} is set by the request itself.", hint="Leave it out.")
        if re.search(r"[^\x20-\x7e]", content):
            raise SettingError(
                f"{where} the value of {name} has a character that no header can carry.", hint="Use printable ASCII."
            )
        found[name] = content
    return found


def variables(value: str, setting: str) -> Mapping[str, str]:
    """Values for `${NAME}` in the manifest, one `NAME=value` a line."""
    found: dict[str, str] = {}
    for line in lines(value, setting):
        name, equals, content = line.partition("=")
        name = name.strip()
        if not equals or not _VARIABLE.fullmatch(name):
            raise SettingError(
                f"{setting} has {shown(line)}.", hint="Use NAME=value, one a line; a name has letters, digits and _."
            )
        if found.get(name, content.strip()) != content.strip():
            raise SettingError(f"{setting} sets {name} twice, to different values.", hint="Set it once.")
        found[name] = content.strip()
    return found


def report_files(value: str, setting: str) -> tuple[ReportFile, ...]:
    """Reports to write, one `FORMAT=PATH` a line."""
    found: list[ReportFile] = []
    for line in lines(value, setting):
        name, equals, path = (part.strip() for part in line.partition("="))
        if not equals or not path or name not in REPORT_FORMATS:
            raise SettingError(
                f"{setting} has {shown(line)}.", hint=f"Use FORMAT=PATH; a format is {', '.join(REPORT_FORMATS)}."
            )
        found.append(ReportFile(name, path))
    paths = [os.path.normpath(report.path) for report in found]
    if twice := next((path for path in paths if paths.count(path) > 1), ""):
        raise SettingError(f"{setting} names {shown(twice)} twice.", hint="Give each report a path of its own.")
    return tuple(found)


def matrix(value: str, setting: str) -> str:
    """A matrix leg as canonical JSON; empty where there is none."""
    try:
        leg = json.loads(value) if value else None
    except (ValueError, RecursionError):
        leg = value
    if not isinstance(leg, dict | None):
        raise SettingError(f"{setting} is {shown(value)}.", hint='Use a JSON object, like {"region": "eu"}.')
    return canonical_matrix(value)


def shown(value: str) -> str:
    """A value as errors quote it: shortened."""
    return repr(value[:_SHOWN])
