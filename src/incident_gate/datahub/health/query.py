"""What a caller asks about an asset's health, and how much of its history is read."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from incident_gate.incident import Question, questions
from incident_gate.urn import EntityType, Urn


class HealthQuery(NamedTuple):
    """An asset to ask about: whether its siblings and its assertions count, or whether its existence alone matters.

    `alternate_urns` are the asset's further URNs, as a dbt node has: incidents on any of them count, and one of them
    must exist. With `must_exist`, `urn` itself must, because somebody wrote it down.
    """

    urn: Urn
    siblings: bool = True
    assertions: bool = False
    existence_only: bool = False
    alternate_urns: tuple[Urn, ...] = ()
    must_exist: bool = True

    @property
    def questions(self) -> frozenset[Question]:
        """What is asked. Only datasets have siblings and assertions."""
        if self.existence_only:
            return _EXISTENCE
        is_dataset = self.urn.entity_type is EntityType.DATASET
        return questions(siblings=self.siblings and is_dataset, assertions=self.assertions and is_dataset)

    @property
    def needed(self) -> frozenset[Question]:
        """What must be known. `entityExists` answers about what cannot be asked for itself."""
        return self.questions - {Question.VISIBLE} if self.existence_only else self.questions

    def of_each_urn(self) -> list[HealthQuery]:
        """The same question about each of the asset's URNs alone."""
        if not self.alternate_urns and self.must_exist:
            return [self]
        return [
            HealthQuery(urn, self.siblings, self.assertions, self.existence_only)
            for urn in (self.urn, *self.alternate_urns)
        ]


_EXISTENCE = frozenset({Question.EXISTS, Question.NOT_REMOVED, Question.VISIBLE})


class History(Enum):
    """Which resolved incidents are read besides the active ones."""

    NONE = auto()
    NEWEST = auto()  # as many as the first answer has
    WHOLE = auto()  # as far as the server lists them
