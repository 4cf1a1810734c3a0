"""What a caller asks about an asset's health, and how deep the reading goes."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from incident_gate.urn import Urn


class HealthQuery(NamedTuple):
    """An asset to ask about: whether its siblings and its assertions count, or whether its existence alone matters."""

    urn: Urn
    siblings: bool = True
    assertions: bool = False
    existence_only: bool = False


class History(Enum):
    """Which resolved incidents are read besides the active ones."""

    NONE = auto()
    NEWEST = auto()  # as many as the first answer has
    WHOLE = auto()  # as far as the server lists them


class Depth(NamedTuple):
    """How much is read of every asset.

    `summaries`: check the lists with the assets' summaries; without them a look is one request.
    """

    history: History = History.NONE
    summaries: bool = True


ACTIVE_ONLY = Depth()
