"""DataHub's names for assets: parsing, with the position of what is wrong, and a name for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntityType(StrEnum):
    """The asset types that can have incidents on every server since 0.13; the value is the word in the URN."""

    DATASET = "dataset"
    DATA_JOB = "dataJob"
    DATA_FLOW = "dataFlow"
    DASHBOARD = "dashboard"
    CHART = "chart"


@dataclass(frozen=True, slots=True)
class Urn:
    """A well-formed asset URN. `name` is what a person calls the asset; untrusted text like all of it."""

    text: str
    entity_type: EntityType
    name: str

    def __str__(self) -> str:
        return self.text


class UrnError(ValueError):
    """A malformed URN.

    Args:
        offset: Characters of the text before the mistake.
        message: What is wrong.
        expected: What would be right.
    """

    def __init__(self, offset: int, message: str, expected: str) -> None:
        super().__init__(f"{message}; expected {expected}")
        self.offset = offset
        self.message = message
        self.expected = expected


def parse_urn(text: str) -> Urn:
    """Take an asset's URN apart.

    Raises:
        UrnError: It is malformed, or names an entity type that cannot have incidents.
    """
    raise NotImplementedError
