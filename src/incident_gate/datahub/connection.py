"""How to reach DataHub: address, token and further headers, and which of these values are secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from incident_gate.datahub.address import Address
from incident_gate.datahub.proxy import DIRECT, Proxy
from incident_gate.errors import Hint

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

    Args:
        address: The server.
        token: The personal access token; empty for none.
        token_setting: The input, option, variable or file that the token came from.
        headers: Further request headers.
        ca_bundle: Certificate authorities besides the public ones.
        certificate_file: The public ones, as `SSL_CERT_FILE` names them; without it and the next, certifi's.
        certificate_folder: The same as a folder of hashed files, as `SSL_CERT_DIR` names it.
        proxy: The proxy for the address.
        spelling: How the user spells the names of options.
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
        found = (
            self.token,
            *self.proxy.secrets,
            *(secret for item in self.headers.items() for secret in header_secrets(*item)),
        )
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
