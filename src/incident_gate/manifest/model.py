"""The manifest's values, without mistakes and without the file's form.

Named tuples, because every run of the gate imports this module: a class costs 0.07 ms instead of 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, NamedTuple

from incident_gate.errors import GateError
from incident_gate.incident import Priority
from incident_gate.urn import Urn


class OnIncident(StrEnum):
    """What a blocking incident does to the run."""

    BLOCK = "block"
    WARN = "warn"
    IGNORE = "ignore"


class OnUnknown(StrEnum):
    """What an asset whose health could not be established does to the run."""

    BLOCK = "block"
    WARN = "warn"


class OnFailingAssertion(StrEnum):
    """What a failing assertion does to the run."""

    IGNORE = "ignore"
    WARN = "warn"
    BLOCK = "block"


class DbtUrns(StrEnum):
    """Which of a dbt node's two URNs count."""

    BOTH = "both"
    DBT = "dbt"
    WAREHOUSE = "warehouse"


class Position(NamedTuple):
    """A place in the manifest's file; line and column start at 1."""

    line: int
    column: int


NOWHERE = Position(0, 0)
"""The position of what the settings name, not the file."""


class Rules(NamedTuple):
    """The rules of an entry, a selector, the manifest's defaults or the settings; None where they set none."""

    on_incident: OnIncident | None = None
    on_unknown: OnUnknown | None = None
    on_failing_assertion: OnFailingAssertion | None = None
    assertion_max_age: timedelta | None = None
    types: frozenset[str] | None = None
    min_priority: Priority | None = None
    siblings: bool | None = None


NO_RULES = Rules()


class Waiver(NamedTuple):
    """An incident or an assertion that is ignored until the end of a day; the other of the two URNs is empty."""

    until: date
    reason: str
    position: Position
    incident: str = ""
    assertion: str = ""

    @property
    def urn(self) -> str:
        """The URN of what is ignored."""
        return self.incident or self.assertion


class InputEntry(NamedTuple):
    """An asset that must be healthy.

    `selected_by` is the selector that selected it, empty where the manifest names the asset itself. `alternate_urns`
    are other URNs of the same asset: a dbt node has two. `is_selector` marks what stands for a selector that could not
    resolve what it selects: then the URN may be any entity's, or a text. `expired` are rules that `ignore` had.
    """

    urn: Urn
    position: Position
    name: str | None = None
    rules: Rules = NO_RULES
    ignore: tuple[Waiver, ...] = ()
    expired: tuple[Waiver, ...] = ()
    selected_by: str = ""
    alternate_urns: tuple[Urn, ...] = ()
    is_selector: bool = False

    @property
    def label(self) -> str:
        """The name from the manifest, else the one in the URN; untrusted text."""
        return self.name or self.urn.name


class IncidentTemplate(NamedTuple):
    """The incident that a failed job raises on an output."""

    type: str = "OPERATIONAL"
    custom_type: str | None = None
    title: str | None = None
    description: str | None = None
    priority: Priority | None = None
    assignees: tuple[str, ...] = ()
    sets_type: bool = False
    """Whether the manifest sets `type`, instead of the default."""


class OutputEntry(NamedTuple):
    """An asset that this job writes.

    `checks` are patterns of the checks in results files that belong to it. `selected_by` and `alternate_urns`: see
    `InputEntry`.
    """

    urn: Urn
    position: Position
    name: str | None = None
    incident: IncidentTemplate = IncidentTemplate()
    checks: tuple[str, ...] = ()
    selected_by: str = ""
    alternate_urns: tuple[Urn, ...] = ()

    @property
    def label(self) -> str:
        """The name from the manifest, else the one in the URN; untrusted text."""
        return self.name or self.urn.name


class UpstreamOf(NamedTuple):
    """Assets from which others are made. Without `urns`: from which the manifest's outputs are made."""

    urns: tuple[Urn, ...] = ()
    hops: Literal[1, 2, "all"] = 1

    def __str__(self) -> str:
        return f"upstream-of: {_some(tuple(urn.text for urn in self.urns) or ('outputs',))}"


class Search(NamedTuple):
    """Assets that match every condition; several values of one condition are alternatives."""

    tags: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    data_products: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    query: str = ""

    def __str__(self) -> str:
        conditions = (self._asdict() | {"query": (self.query,) if self.query else ()}).items()
        return "search: " + ", ".join(f"{name.replace('_', '-')} {_some(value)}" for name, value in conditions if value)


class Dbt(NamedTuple):
    """Nodes of dbt's `manifest.json`: sources among inputs, what the project builds among outputs.

    The options have the names of DataHub's own recipe. `convert_urns_to_lowercase` has three states; None is unset.
    """

    manifest: tuple[str, ...]
    select: tuple[str, ...] = ()
    nodes: str = ""
    target_platform: str = ""
    target_platform_instance: str = ""
    platform_instance: str = ""
    env: str = "PROD"
    convert_urns_to_lowercase: bool | None = None
    include_database_name: bool = True
    use_identifiers: bool = False
    urns: DbtUrns = DbtUrns.BOTH

    def __str__(self) -> str:
        return f"dbt: {_some(self.manifest)}"


class Selector(NamedTuple):
    """An entry of the inputs that selects several assets; its rules hold for each of them."""

    what: UpstreamOf | Search | Dbt
    position: Position
    name: str | None = None
    rules: Rules = NO_RULES
    ignore: tuple[Waiver, ...] = ()
    expired: tuple[Waiver, ...] = ()
    at_most: int = 500
    may_be_empty: bool = False

    @property
    def label(self) -> str:
        """The name from the manifest, else the selector as it is written; untrusted text."""
        return self.name or str(self.what)


class OutputSelector(NamedTuple):
    """An entry of the outputs that selects all that a dbt project builds."""

    what: Dbt
    position: Position
    name: str | None = None
    incident: IncidentTemplate = IncidentTemplate()
    at_most: int = 500
    may_be_empty: bool = False

    @property
    def label(self) -> str:
        """The name from the manifest, else the selector as it is written; untrusted text."""
        return self.name or str(self.what)


class Mistake(NamedTuple):
    """An error in a manifest, or a warning about it."""

    position: Position
    message: str
    expected: str = ""

    def __str__(self) -> str:
        return f"{self.message}; expected {self.expected}" if self.expected else self.message


class Manifest(NamedTuple):
    """A manifest without errors.

    `path` is as the user wrote it, and `text` what the file contains. `people` are Slack ids by the URN of a user or
    group.
    """

    path: str
    defaults: Rules = NO_RULES
    inputs: tuple[InputEntry, ...] = ()
    selectors: tuple[Selector, ...] = ()
    outputs: tuple[OutputEntry, ...] = ()
    output_selectors: tuple[OutputSelector, ...] = ()
    people: Mapping[str, str] = MappingProxyType({})
    warnings: tuple[Mistake, ...] = ()
    text: str = ""


class ManifestError(GateError):
    """The manifest is missing, unreadable or wrong.

    Args:
        path: As the user wrote it.
        mistakes: What is wrong, in the file's order; at least one.
        hint: What to do next, where the mistakes do not include it.
        text: What the file contains, as far as it could be read: reports show the lines.
    """

    def __init__(self, path: str, mistakes: tuple[Mistake, ...], *, hint: str = "", text: str = "") -> None:
        places = (path if at == NOWHERE else f"{path}:{at.line}:{at.column}" for at, *_ in mistakes)
        super().__init__("\n".join(map("{}: {}".format, places, mistakes)), hint=hint)
        self.path = path
        self.mistakes = mistakes
        self.text = text

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}".rstrip()


class UnreadableError(Exception):
    """An error after which the rest of the file cannot be read."""

    def __init__(self, position: Position, message: str, expected: str = "") -> None:
        super().__init__(message)
        self.mistake = Mistake(position, message, expected)


class Mistakes:
    """Collects the errors of one file, so that all are reported at once."""

    LIMIT = 1_000
    """A file with more errors is not a manifest, or has the same error everywhere."""

    def __init__(self) -> None:
        self._found: dict[Mistake, None] = {}  # a dictionary, because an alias leads to the same error twice

    def add(self, position: Position, message: str, expected: str = "") -> None:
        """Add an error."""
        if len(self._found) <= self.LIMIT:
            self._found[Mistake(position, message, expected)] = None

    def __bool__(self) -> bool:
        return bool(self._found)

    def sorted(self) -> tuple[Mistake, ...]:
        """All of them in the file's order; the last one reports when there are more."""
        ordered = sorted(self._found, key=lambda mistake: mistake.position)
        if len(ordered) > self.LIMIT:
            last = ordered[self.LIMIT - 1].position
            ordered[self.LIMIT :] = [Mistake(last, f"more than {self.LIMIT:,} errors: the rest is not shown")]
        return tuple(ordered)


def _some(values: tuple[str, ...]) -> str:
    """One or two values; of more the first, and how many are left."""
    first, *others = values
    if len(others) == 1:
        return f"{first} and {others[0]}"
    return f"{first} and {len(others):,} more" if others else first
