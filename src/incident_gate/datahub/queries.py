"""The GraphQL text that is sent: constant for given capabilities; every value travels as a variable.

Nothing here declares a variable of an input object type, because `UpdateIncidentStatusInput` was renamed in 1.0:
scalars and enums are variables inside an inline object.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

from incident_gate.datahub.capabilities import TYPE_NAMES, VISIBILITY_FIELDS, Capabilities, Selection
from incident_gate.datahub.client import Operation
from incident_gate.incident import Question

# Runs of each assertion: the latest, and those before it that count because INIT is no result. Runs of a failing one,
# to show since when it fails.
RUNS, EARLIER_RUNS = 3, 50
_PAGING = ("$start: Int!", "$count: Int!")

# The types of some assets, by the word in their URNs, and what to read of each.
Group: TypeAlias = tuple[Collection[str], Selection]


def health_of_many(capabilities: Capabilities, groups: Sequence[Group]) -> Operation:
    """One field for each group, for any number of assets: `$urns`, `$urns1` ..., `$start`, `$count`."""
    variables = ["$urns: [String!]!", *(f"$urns{place}: [String!]!" for place in range(1, len(groups)))]
    roots = " ".join(
        f"{root_name(place)}{': entities' if place else ''}(urns: $urns{place or ''}) "
        f"{{ urn {_fragments(capabilities, group)} }}"
        for place, group in enumerate(groups)
    )
    return _with_pages("incidentGateHealth", variables, roots, capabilities, [selection for _, selection in groups])


def root_name(place: int) -> str:
    """The name in the answer of a group's field."""
    return f"entities{place or ''}"


def health_of_each(capabilities: Capabilities, kind: str, number: int, selection: Selection) -> Operation:
    """One aliased field for each asset, for servers without `entities`: `$u0`, `$u1` ..., `$start`, `$count`."""
    own = "" if capabilities.is_minimal else "urn "
    fields = _asset(capabilities, kind, selection)
    roots = " ".join(f"a{place}: {kind}(urn: $u{place}) {{ {own}{fields} }}" for place in range(number))
    return _with_pages("incidentGateHealthOfEach", _urns(number), roots, capabilities, [selection])


def existence_of_each(number: int) -> Operation:
    """`entityExists` for `$u0`, `$u1` ..., where the asset itself does not show it."""
    roots = " ".join(f"a{place}: entityExists(urn: $u{place})" for place in range(number))
    return _query("incidentGateExistence", _urns(number), roots)


def _with_pages(
    name: str, variables: Sequence[str], roots: str, capabilities: Capabilities, selections: Sequence[Selection]
) -> Operation:
    # A variable or fragment that is declared and not used is a validation error.
    if "$start" not in roots:
        return _query(name, variables, roots)
    details = any(selection.history and selection.details for selection in selections)
    page = _page(capabilities, details=details) if "...page" in roots else ""
    return _query(name, [*variables, *_PAGING], roots, page)


def _query(name: str, variables: Sequence[str], roots: str, fragments: str = "") -> Operation:
    return Operation(name, f"query {name}({', '.join(variables)}) {{ {roots} }} {fragments}".rstrip())


def _fragments(capabilities: Capabilities, group: Group) -> str:
    kinds, selection = group
    return " ".join(
        f"... on {TYPE_NAMES[kind]} {{ {fields} }}"
        for kind in TYPE_NAMES
        if kind in kinds and (fields := _asset(capabilities, kind, selection))
    )


def _asset(capabilities: Capabilities, kind: str, selection: Selection) -> str:
    asked = {question for question in selection.questions if capabilities.asks(kind, question)}
    paging = "start: $start, count: $count) { ...page }"
    of_siblings = {
        Question.VISIBLE: VISIBILITY_FIELDS[kind],
        Question.INCIDENTS: f"incidents(state: ACTIVE, {paging}",
        Question.ASSERTIONS: _assertions(capabilities),
        Question.WITNESS: 'aspects(input: { aspectNames: ["incidentsSummary"] }) { aspectName payload }',
    }
    own = {Question.EXISTS: "exists", Question.NOT_REMOVED: "status { removed }"} | of_siblings
    fields = [text for question, text in own.items() if question in asked]
    if selection.history and capabilities.asks(kind, Question.INCIDENTS):
        fields.append(f"history: incidents({paging}")
    if Question.SIBLINGS in asked:
        shown = " ".join(text for question, text in of_siblings.items() if question in asked)
        fields.append(f"siblings {{ siblings {{ urn ... on Dataset {{ {shown} }} }} }}")
    return " ".join(fields)


def _assertions(capabilities: Capabilities) -> str:
    """The assertions of a dataset, as far as the server has what is read of them: their results are what counts."""
    accepts = capabilities.accepts
    with_removed = accepts("Assertion", "status") and accepts("", "includeSoftDeleted")
    removed, status = (", includeSoftDeleted: true", "status { removed } ") if with_removed else ("", "")
    leaves = " ".join(name for name in ("type", "description", "externalUrl") if accepts("AssertionInfo", name))
    info = f"info {{ {leaves} }} " if leaves and accepts("Assertion", "info") else ""
    count = "count " if accepts("EntityAssertionsResult", "count") else ""
    runs = _runs(RUNS, "total " if accepts("AssertionRunEventsResult", "total") else "")
    fields = f"urn {status}{info}{runs}"
    return f"assertions(start: $start, count: $count{removed}) {{ total {count}assertions {{ {fields} }} }}"


def _runs(limit: int, total: str = "") -> str:
    return f"runEvents(status: COMPLETE, limit: {limit}) {{ {total}runEvents {{ timestampMillis result {{ type }} }} }}"


RUNS_OF_ASSERTIONS = Operation(
    "incidentGateAssertionRuns",
    "query incidentGateAssertionRuns($urns: [String!]!) "
    f"{{ entities(urns: $urns) {{ urn ... on Assertion {{ {_runs(EARLIER_RUNS)} }} }} }}",
)


def _page(capabilities: Capabilities, *, details: bool) -> str:
    """The fragments of a page of incidents, with stage and message only where incidents are written."""
    page = "fragment page on EntityIncidentsResult { total incidents { ...incident } }"
    return f"{page} {_incident(capabilities, details=details)}"


def _incident(capabilities: Capabilities, *, details: bool) -> str:
    leaves = ["created { time }" if name == "created" else name for name in capabilities.incident_fields]
    status = "state"
    if details:
        status += " stage message" if capabilities.accepts("IncidentStatus", "stage") else " message"
    if capabilities.status_field:
        leaves.append(f"{capabilities.status_field} {{ {status} }}")
    return f"fragment incident on Incident {{ urn {' '.join(leaves)} }}"


def incidents_by_urn(capabilities: Capabilities, number: int, kinds: Collection[str], *, details: bool) -> Operation:
    """Incidents `$u0`, `$u1` ... from the primary store, and the history of the assets `$urns`, if there are `kinds`.

    The first answers on DataHub Cloud; open source has no entity of that type and answers null.
    """
    single = " ".join(f"a{place}: entity(urn: $u{place}) {{ ...incident }}" for place in range(number))
    if not kinds:
        return _query("incidentGateWitness", _urns(number), single, _incident(capabilities, details=details))
    group = (kinds, Selection(frozenset(), history=True))
    roots = f"{single} entities(urns: $urns) {{ urn {_fragments(capabilities, group)} }}"
    variables = ["$urns: [String!]!", *_urns(number), *_PAGING]
    return _query("incidentGateWitness", variables, roots, _page(capabilities, details=details))


def _urns(number: int) -> list[str]:
    return [f"$u{place}: String!" for place in range(number)]


def _raise(name: str, variables: str, fields: str) -> Operation:
    head = f"mutation {name}($asset: String!, $type: IncidentType!, $customType: String, $title: String"
    given = "resourceUrn: $asset, type: $type, customType: $customType, title: $title, description: $description"
    text = f"{head}, $description: String, {variables}) {{ raiseIncident(input: {{ {given}, {fields} }}) }}"
    return Operation(name, text)


_SINCE_1_0 = "$priority: IncidentPriority, $assignees: [String!], $startedAt: Long"
_SINCE_1_0_FIELDS = "priority: $priority, assigneeUrns: $assignees, startedAt: $startedAt"

# Since August 2026 the caller may choose the id, which makes raising repeatable.
RAISE_WITH_ID = _raise("incidentGateRaise", f"{_SINCE_1_0}, $id: String", f"{_SINCE_1_0_FIELDS}, id: $id")
# From 1.0: priority is an enum, and there are assignees.
RAISE_NAMED_PRIORITY = _raise("incidentGateRaise", _SINCE_1_0, _SINCE_1_0_FIELDS)
# Up to 0.15: priority is an int.
RAISE_NUMBERED_PRIORITY = _raise("incidentGateRaise", "$priority: Int", "priority: $priority")


def _status(name: str, fields: str, variables: str = "") -> Operation:
    # The whole status is replaced: what a call leaves out is erased.
    text = f"updateIncidentStatus(urn: $urn, input: {{ {fields}, message: $message }})"
    return Operation(name, f"mutation {name}($urn: String!, $message: String{variables}) {{ {text} }}")


KEEP = _status("incidentGateKeep", "state: ACTIVE")
# Stages came with 1.0.
KEEP_IN_STAGE = _status("incidentGateKeep", "state: ACTIVE, stage: $stage", ", $stage: IncidentStage")
RESOLVE_FIXED = _status("incidentGateResolve", "state: RESOLVED, stage: FIXED")
RESOLVE = _status("incidentGateResolve", "state: RESOLVED")

# From the primary store, so without the search index's lag. Open source returns null.
INCIDENT = Operation(
    "incidentGateIncident",
    "query incidentGateIncident($urn: String!) "
    "{ entity(urn: $urn) { urn ... on Incident { description status { state } entity { urn } } } }",
)
