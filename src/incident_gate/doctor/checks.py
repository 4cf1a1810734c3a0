"""The doctor: examines everything that a gate depends on, without writing, and reports what to change."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from incident_gate.datahub.capabilities import Capabilities, Generation, introspect
from incident_gate.datahub.client import Client
from incident_gate.datahub.connection import Connection
from incident_gate.datahub.failure import Failure
from incident_gate.datahub.health.answer import Extent, HealthQuery, History
from incident_gate.datahub.health.reader import Reader
from incident_gate.datahub.server_info import identity_of, may_raise
from incident_gate.errors import DataHubError, ExitCode, RefusedError, UnreachableError
from incident_gate.gate.policy import rule_for
from incident_gate.incident import Health, Reason
from incident_gate.manifest.model import Manifest, OutputEntry, Search
from incident_gate.select.resolve import resolve
from incident_gate.settings.model import RunSettings
from incident_gate.text import count, plain
from incident_gate.urn import Urn

VERSION = 1
_LACKS = {
    Generation.G1: " Incidents are on datasets only.",
    Generation.G3_EARLY: " The server hides the reasons of its failures.",
}
_VIEW_POLICY = (
    'On DataHub Cloud, the token\'s user needs a policy with "View Entity Page" on all assets: one that is limited to '
    "some assets hides every incident from searches. On open source, a policy for the assets themselves is enough."
)
_GRANT = (
    'In DataHub, a policy must give the token\'s user the metadata privilege "Edit Incidents" or "Edit Entity" on it.'
)


class State(StrEnum):
    """The result of a check; only a problem makes the exit code 3."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    UNKNOWN = "unknown"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what to change where something is wrong; text from DataHub is untrusted."""

    subject: str
    state: State
    detail: str
    hint: str = ""


Findings: TypeAlias = Sequence[Finding]


def examine(settings: RunSettings, client: Client, manifest: Manifest | None) -> Findings:
    """Look at everything, in the order in which one thing depends on another; without a manifest, at no asset."""
    resolve = settings.connection.resolved
    return [replace(finding, hint=resolve(finding.hint)) for finding in _findings(settings, client, manifest)]


def exit_code(findings: Findings) -> ExitCode:
    """3 if anything must be changed."""
    return ExitCode.DATAHUB if any(finding.state is State.PROBLEM for finding in findings) else ExitCode.OK


def _findings(settings: RunSettings, client: Client, manifest: Manifest | None) -> Iterator[Finding]:
    address = settings.connection.address
    yield Finding("settings", State.OK, " ".join(origins(settings.connection)))
    where = f"GraphQL requests go to {address.graphql_url}, links lead to {address.ui_url}."
    yield Finding("address", State.OK, where)
    yield from (Finding("address", State.WARNING, warning) for warning in settings.warnings)
    try:
        identity = identity_of(client)
    except (DataHubError, Failure) as error:
        own = UnreachableError(f"{error}.", hint="Check the server's health and its log.")
        cause = error if isinstance(error, DataHubError) else own
        yield Finding("connection", State.PROBLEM, cause.message, cause.hint)
        yield Finding("the rest", State.UNKNOWN, "Not looked at, as DataHub does not answer.")
        return
    how = "over TLS, and its certificate verifies" if address.is_encrypted else "without TLS"
    yield Finding("connection", State.OK, f"DataHub answers {how}.")
    yield _token(settings, identity.user)
    version = f"DataHub {identity.version}." if identity.version else "The server does not report its version."
    yield Finding("version", State.OK if identity.version else State.UNKNOWN, version)
    try:
        capabilities = introspect(client)
        yield _schema(capabilities)
        if manifest is None:
            where = f"There is no manifest at {settings.manifest_shown}, so no asset was looked at."
            yield Finding("assets", State.UNKNOWN, where, "Name one: incident-gate doctor MANIFEST.")
        else:
            if manifest.selectors or manifest.output_selectors:
                manifest, findings = _selected(settings, client, manifest)
                yield from findings
            yield from _inputs(settings, client, manifest)
            yield from _outputs(client, capabilities, identity.urn, manifest.outputs)
    except DataHubError as error:
        yield Finding("connection", State.PROBLEM, error.message, error.hint)
    yield Finding("index lag", State.NOTE, "An incident raised or resolved seconds ago may not be seen yet.")


def origins(connection: Connection) -> Iterator[str]:
    """Where each setting of the connection came from."""
    yield f"The address comes from {connection.address.setting}."
    yield f"The token comes from {connection.token_setting}." if connection.token else "There is no token."
    proxy = connection.proxy
    if proxy.url:
        yield f"Requests go through the proxy {proxy.server}, which {proxy.variable} names."
    elif proxy.exempt:
        yield f"Requests go past the proxy that {proxy.variable} names: {proxy.exempt} in NO_PROXY covers the address."
    if connection.address.is_encrypted:
        names = {"SSL_CERT_FILE": connection.certificate_file, "SSL_CERT_DIR": connection.certificate_folder}
        public = " and ".join(name for name, value in names.items() if value) or "certifi"
        own = f", and those of {connection.named('ca-bundle')}" if connection.ca_bundle else ""
        yield f"Certificate authorities are those of {public}{own}."


def _token(settings: RunSettings, user: str) -> Finding:
    if not settings.connection.token:
        detail = "No token was given, and the server answers all the same: it does not check who asks."
        hint = "Fine for a trial. A server that others reach should have its authentication on."
        return Finding("token", State.WARNING, detail, hint)
    if not user:
        return Finding("token", State.UNKNOWN, "It is accepted; the server does not report whose it is.")
    return Finding("token", State.OK, f"It is accepted, and belongs to {user}.")


def _schema(capabilities: Capabilities | None) -> Finding:
    if capabilities is None:
        return Finding("schema", State.UNKNOWN, "The server hides its schema (introspection is off).")
    generation = capabilities.generation
    if generation is None:
        hint = "The gate needs DataHub Cloud, or DataHub 0.13 or later."
        return Finding("schema", State.PROBLEM, "The server knows no incidents on datasets.", hint)
    if generation is Generation.G4:
        return Finding("schema", State.OK, "It has everything that the gate can use.")
    return Finding("schema", State.OK, f"That of {generation.value}.{_LACKS.get(generation, '')}")


def _selected(settings: RunSettings, client: Client, manifest: Manifest) -> tuple[Manifest, list[Finding]]:
    """The manifest with what its selectors select, and what could not be established."""
    selection = resolve(manifest, client=client, root=settings.workspace or Path.cwd())
    if selection.failure:
        raise selection.failure
    findings = [
        Finding(f"selector {entry.selected_by}", State.PROBLEM, f"{problem.message}.", problem.hint)
        for entry, problem in selection.problems
    ]
    # dbt's files are read at the end of the job, and may not exist yet.
    findings += [
        Finding(f"selector {selector.label}", State.UNKNOWN, f"{problem.message}.", problem.hint)
        for selector, problem in selection.output_problems
    ]
    findings += [
        Finding(
            f"selector {selector.label}",
            State.UNKNOWN,
            "A search finds only what the token may see. Whether something is hidden from it cannot be known.",
            "Give the token's user view access to all that the gate is to check.",
        )
        for selector in manifest.selectors
        if isinstance(selector.what, Search)
    ]
    return selection.applied_to(manifest), findings


def _healths(reader: Reader, queries: Sequence[HealthQuery]) -> list[Health]:
    """The health for each query; a refusal of some of them is a finding about each."""
    reading = reader.read(queries)
    if reading.failure and (reading.nothing_answered or not isinstance(reading.failure, RefusedError)):
        raise reading.failure
    return [reading.healths[query] for query in queries]


def _inputs(settings: RunSettings, client: Client, manifest: Manifest) -> Iterator[Finding]:
    entries = manifest.inputs
    if not entries:
        yield Finding("inputs", State.OK, "The manifest names none.")
        return
    queries = [
        HealthQuery(
            entry.urn,
            siblings=rule_for(entry.rules, settings.overrides, manifest.defaults).siblings,
            alternate_urns=entry.alternate_urns,
            must_exist=not entry.selected_by,
        )
        for entry in entries
    ]
    healths = _healths(Reader(client), queries)
    yield _incidents(healths)
    unread = [(entry, health) for entry, health in zip(entries, healths, strict=True) if health.problems]
    yield from (_unreadable(f"input {entry.label}", health) for entry, health in unread)
    readable = f"{len(entries) - len(unread):,} of {count(len(entries), 'input')} can be read."
    if not unread:
        yield Finding("inputs", State.OK, readable)
    elif len(unread) < len(entries):
        yield Finding("inputs", State.PROBLEM, readable, "What keeps the others from being read is above.")


def _incidents(healths: Sequence[Health]) -> Finding:
    """Whether the token sees incidents: an asset's summary names active ones independently of any search."""
    listed = sum(len(health.incidents) - health.unlisted for health in healths)
    unlisted = sum(health.unlisted + len(health.unverified) for health in healths)
    if unlisted:
        hidden = count(unlisted, "active incident")
        detail = f"Searches with this token do not show {hidden} that the assets' summaries name."
        hint = f"{_VIEW_POLICY} If the policy is right, restore DataHub's search indices."
        return Finding("incidents", State.PROBLEM, detail, hint)
    if listed:
        detail = f"{count(listed, 'active incident')} listed, and the assets' summaries name no other."
        return Finding("incidents", State.OK, detail)
    detail = "No input has an active incident, so it is not known whether this token sees incidents."
    return Finding("incidents", State.UNKNOWN, detail, _VIEW_POLICY)


def _outputs(
    client: Client, capabilities: Capabilities | None, actor: str, entries: Sequence[OutputEntry]
) -> Iterator[Finding]:
    if not entries:
        yield Finding("outputs", State.OK, "The manifest names none, so no outcome is reported.")
        return
    queries = [HealthQuery(entry.urn, siblings=False, alternate_urns=entry.alternate_urns) for entry in entries]
    healths = _healths(Reader(client, Extent(History.NEWEST)), queries)
    targets = [_target(entry, health) for entry, health in zip(entries, healths, strict=True)]
    may_edit = may_raise(client, capabilities, actor, [urn for urn, _ in targets])
    editable = unsure = 0
    for entry, (urn, health) in zip(entries, targets, strict=True):
        subject = f"output {entry.label}"
        # Nothing is raised where existence is not known, except on servers that cannot be asked.
        if any(problem.reason is not Reason.EXISTENCE_NOT_SUPPORTED for problem in health.problems):
            yield _unreadable(subject, health)
            continue
        if capabilities and not capabilities.has("IncidentType", entry.incident.type):
            detail = f"This server knows no incidents of type {entry.incident.type}."
            hint = "Name another `type` at this output's `incident`; every server knows OPERATIONAL."
            yield Finding(subject, State.PROBLEM, detail, hint)
        may = may_edit[urn.text]
        editable, unsure = editable + (may is True), unsure + (may is None)
        if may is False:
            yield Finding(subject, State.PROBLEM, "The token may not edit incidents on it.", _GRANT)
    outputs = count(len(entries), "output")
    words = f"Incidents can be edited on {editable:,} of {outputs}."
    if editable and editable + unsure < len(entries):
        yield Finding("outputs", State.PROBLEM, words, "What keeps the others from being edited is above.")
    elif editable:
        yield Finding("outputs", State.OK, words)
    if unsure:
        detail = f"This server does not report whether the token may edit incidents on {unsure:,} of {outputs}."
        yield Finding("outputs", State.UNKNOWN, detail, _GRANT)


def _target(entry: OutputEntry, health: Health) -> tuple[Urn, Health]:
    """The first of an output's URNs that can be raised on, else its own."""
    pairs = list(zip((entry.urn, *entry.alternate_urns), health.parts, strict=True))
    return next((pair for pair in pairs if not pair[1].problems), pairs[0])


def _unreadable(subject: str, health: Health) -> Finding:
    problem = health.problems[0]
    return Finding(subject, State.PROBLEM, f"{problem.message}.", problem.hint)


# For people and for programs

_COLOURS = {State.OK: "32", State.NOTE: "2", State.WARNING: "33", State.UNKNOWN: "36", State.PROBLEM: "1;31"}
_ROWS = 200
_INDENT = " " * 9
_NARROWEST = 40


def table(findings: Findings, *, colour: bool = False, width: int = 100) -> str:
    """One paragraph for each finding, and a summary in the last line."""
    lines = [line for finding in findings[:_ROWS] for line in _paragraph(finding, colour=colour, width=width)]
    if len(findings) > _ROWS:
        lines.append(f"and {len(findings) - _ROWS:,} more: `--format json` has them all")
    problems = sum(finding.state is State.PROBLEM for finding in findings)
    summary = f"{count(problems, 'problem')} found." if problems else "No problems found."
    return "".join(f"{line}\n" for line in [*lines, "", summary])


def document(findings: Findings) -> str:
    """The same as ASCII JSON; `version` changes only when a field goes away or changes its meaning."""
    shown = [{"subject": f.subject, "state": f.state.value, "detail": f.detail, "hint": f.hint} for f in findings]
    return json.dumps({"version": VERSION, "healthy": not exit_code(findings), "findings": shown}, indent=2) + "\n"


def _paragraph(finding: Finding, *, colour: bool, width: int) -> Iterator[str]:
    state = f"{finding.state:<{len(_INDENT)}}"
    painted = f"\x1b[{_COLOURS[finding.state]}m{state}\x1b[0m" if colour else state
    shown = f"{plain(finding.subject, 120)}: {plain(finding.detail, 1000)}"
    lines = [*_wrapped(shown, width), *_wrapped(plain(finding.hint, 1000), width, first="→ ")]
    yield painted + lines[0].removeprefix(_INDENT)
    yield from lines[1:]


def _wrapped(text: str, width: int, first: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        max(width, _NARROWEST),
        initial_indent=_INDENT + first,
        subsequent_indent=_INDENT + " " * len(first),
        # An address or a URN that is cut in two can no longer be copied.
        break_long_words=False,
        break_on_hyphens=False,
    )
