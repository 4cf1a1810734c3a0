"""The doctor: examines everything that a gate depends on, without writing, and reports what to change.

`examine` makes a `Diagnosis`; `table` and `document` show it to people and programs.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from incident_gate.datahub.capabilities import Capabilities, Generation, introspect
from incident_gate.datahub.client import Client
from incident_gate.datahub.connection import Connection
from incident_gate.datahub.failure import Failure
from incident_gate.datahub.health.answer import HealthQuery, History
from incident_gate.datahub.health.reader import Reader
from incident_gate.datahub.server_info import identity_of, may_raise
from incident_gate.errors import DataHubError, ExitCode, RefusedError
from incident_gate.gate.policy import rule_for
from incident_gate.incident import Health, Reason
from incident_gate.manifest.model import Manifest, OutputEntry, Search
from incident_gate.report.words import count
from incident_gate.select.resolve import resolve
from incident_gate.settings.model import RunSettings
from incident_gate.text import plain

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
    WARNING = "warning"
    UNKNOWN = "unknown"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at, and what to change where something is wrong; text from DataHub is untrusted."""

    subject: str
    state: State
    detail: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found, in the order in which one thing depends on another."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> ExitCode:
        """3 if anything must be changed."""
        return ExitCode.DATAHUB if any(f.state is State.PROBLEM for f in self.findings) else ExitCode.OK


def examine(settings: RunSettings, client: Client, manifest: Manifest | None) -> Diagnosis:
    """Look at everything.

    Args:
        settings: Address, token and the rest.
        client: Where to ask.
        manifest: Whose assets to look at; None if there is none yet.
    """
    resolve = settings.connection.resolved
    findings = _findings(settings, client, manifest)
    return Diagnosis(tuple(replace(finding, hint=resolve(finding.hint)) for finding in findings))


def _findings(settings: RunSettings, client: Client, manifest: Manifest | None) -> Iterator[Finding]:
    yield _ok("settings", " ".join(origins(settings.connection)))
    yield from _address(settings)
    try:
        identity = identity_of(client)
    except (DataHubError, Failure) as error:
        hint = error.hint if isinstance(error, DataHubError) else "Check the server's health and its log."
        yield _problem("connection", error.message, hint)
        yield _unknown("the rest", "Not looked at, as DataHub does not answer.")
        return
    yield _connection(settings)
    yield _token(settings, identity.user)
    yield (
        _ok("version", f"DataHub {identity.version}.")
        if identity.version
        else _unknown("version", "The server does not report its version.")
    )
    try:
        capabilities = introspect(client)
        yield _schema(capabilities)
        if manifest is None:
            where = f"There is no manifest at {settings.manifest_shown}, so no asset was looked at."
            yield _unknown("assets", where, "Name one: incident-gate doctor MANIFEST.")
        else:
            if manifest.selectors or manifest.output_selectors:
                manifest, findings = _selected(settings, client, manifest)
                yield from findings
            yield from _inputs(settings, client, manifest)
            yield from _outputs(client, capabilities, identity.urn, manifest.outputs)
    except DataHubError as error:
        yield _problem("connection", error.message, error.hint)
    yield _unknown(
        "index lag",
        "How far DataHub's search index lags behind cannot be known without writing. "
        "Until the index has caught up, the gate does not see that an incident was just raised or resolved.",
    )


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


def _address(settings: RunSettings) -> Iterator[Finding]:
    address = settings.connection.address
    yield _ok("address", f"GraphQL requests go to {address.graphql_url}, links lead to {address.ui_url}.")
    for warning in settings.warnings:
        yield Finding(subject="address", state=State.WARNING, detail=warning)


def _connection(settings: RunSettings) -> Finding:
    encrypted = settings.connection.address.is_encrypted
    return _ok(
        "connection", f"It answers {'over TLS, with a certificate that verifies' if encrypted else 'without TLS'}."
    )


def _token(settings: RunSettings, user: str) -> Finding:
    if not settings.connection.token:
        return Finding(
            subject="token",
            state=State.WARNING,
            detail="No token was given, and the server answers all the same: it does not check who asks.",
            hint="Fine for a trial. A server that others reach should have its authentication on.",
        )
    if not user:
        return _unknown("token", "It is accepted; the server does not report whose it is.")
    return _ok("token", f"It is accepted, and belongs to {user}.")


def _schema(capabilities: Capabilities | None) -> Finding:
    if capabilities is None:
        off = "The server hides its schema (introspection is off)."
        return _unknown("schema", off)
    generation = capabilities.generation
    if generation is None:
        hint = "The gate needs DataHub Cloud, or DataHub 0.13 or later."
        return _problem("schema", "The server knows no incidents on datasets.", hint)
    if generation is Generation.G4:
        return _ok("schema", "Current.")
    return _ok("schema", f"That of {generation.value}.{_LACKS.get(generation, '')}")


def _selected(settings: RunSettings, client: Client, manifest: Manifest) -> tuple[Manifest, list[Finding]]:
    """The manifest with what its selectors select, and what could not be established."""
    selection = resolve(manifest, client=client, root=settings.workspace or Path.cwd())
    if selection.failure:
        raise selection.failure
    findings = [
        _problem(f"selector {entry.selected_by}", f"{problem.message}.", problem.hint)
        for entry, problem in selection.problems
    ]
    for selector, problem in selection.output_problems:
        # dbt's files are read at the end of the job, and may not exist yet.
        findings.append(_unknown(f"selector {selector.label}", f"{problem.message}.", problem.hint))
    findings += [
        _unknown(
            f"selector {selector.label}",
            "A search finds only what the token may see. Whether something is hidden from it cannot be known.",
            "Give the token's user view access to all that the gate is to check.",
        )
        for selector in manifest.selectors
        if isinstance(selector.what, Search)
    ]
    return selection.applied_to(manifest), findings


def _inputs(settings: RunSettings, client: Client, manifest: Manifest) -> Iterator[Finding]:
    entries = manifest.inputs
    if not entries:
        yield _ok("inputs", "The manifest names none.")
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
    reading = Reader(client).read(queries)
    if reading.failure and (reading.nothing_answered or not isinstance(reading.failure, RefusedError)):
        raise reading.failure
    healths = [reading.healths[query] for query in queries]
    yield _incidents(healths)
    unread = [(entry, health) for entry, health in zip(entries, healths, strict=True) if health.problems]
    for entry, health in unread:
        yield _unreadable(f"input {entry.label}", health)
    readable = f"{len(entries) - len(unread):,} of {count(len(entries), 'input')} can be read."
    if not unread:
        yield _ok("inputs", readable)
    elif len(unread) < len(entries):
        yield _problem("inputs", readable, "What keeps the others from being read is above.")


def _incidents(healths: Sequence[Health]) -> Finding:
    """Whether the token sees incidents: an asset's summary names active ones independently of any search."""
    listed = sum(len(health.incidents) - health.unlisted for health in healths)
    unlisted = sum(health.unlisted + len(health.unverified) for health in healths)
    if unlisted:
        hidden = count(unlisted, "active incident")
        detail = f"Searches with this token do not show {hidden} that the assets' summaries name."
        hint = f"{_VIEW_POLICY} If the policy is right, restore DataHub's search indices."
        return _problem("incidents", detail, hint)
    if listed:
        return _ok("incidents", f"{count(listed, 'active incident')} listed, and the assets' summaries name no other.")
    detail = "No input has an active incident, so it is not known whether this token sees incidents."
    return _unknown("incidents", detail, _VIEW_POLICY)


def _outputs(
    client: Client, capabilities: Capabilities | None, actor: str, entries: tuple[OutputEntry, ...]
) -> Iterator[Finding]:
    if not entries:
        yield _ok("outputs", "The manifest names none, so no outcome is reported.")
        return
    queries = [[HealthQuery(urn, siblings=False) for urn in (entry.urn, *entry.alternate_urns)] for entry in entries]
    reading = Reader(client, History.NEWEST).read([query for of_entry in queries for query in of_entry])
    if reading.failure and (reading.nothing_answered or not isinstance(reading.failure, RefusedError)):
        raise reading.failure
    found = [
        _raised_on(entry, [reading.healths[query] for query in of_entry])
        for entry, of_entry in zip(entries, queries, strict=True)
    ]
    entries, healths = tuple(entry for entry, _ in found), [health for _, health in found]
    may_edit = may_raise(client, capabilities, actor, [entry.urn for entry in entries])
    editable = unsure = 0
    for entry, health in zip(entries, healths, strict=True):
        subject = f"output {entry.label}"
        # Nothing is raised where existence is not known, except on servers that cannot be asked.
        if any(problem.reason is not Reason.EXISTENCE_NOT_SUPPORTED for problem in health.problems):
            yield _unreadable(subject, health)
            continue
        if capabilities and not capabilities.has("IncidentType", entry.incident.type):
            other = "Name another `type` at this output's `incident`; every server knows OPERATIONAL."
            yield _problem(subject, f"This server knows no incidents of type {entry.incident.type}.", other)
        may = may_edit.get(entry.urn.text)
        editable, unsure = editable + (may is True), unsure + (may is None)
        if may is False:
            yield _problem(subject, "The token may not edit incidents on it.", _GRANT)
    words = f"Incidents can be edited on {editable:,} of {count(len(entries), 'output')}."
    if editable and editable + unsure < len(entries):
        yield _problem("outputs", words, "What keeps the others from being edited is above.")
    elif editable:
        yield _ok("outputs", words)
    if unsure:
        of_all = f"{unsure:,} of {count(len(entries), 'output')}"
        yield _unknown(
            "outputs", f"This server does not report whether the token may edit incidents on {of_all}.", _GRANT
        )


def _raised_on(entry: OutputEntry, healths: Sequence[Health]) -> tuple[OutputEntry, Health]:
    """The output with the first of its URNs that can be raised on."""
    urns = (entry.urn, *entry.alternate_urns)
    pairs = list(zip(urns, healths, strict=True))
    urn, health = next((pair for pair in pairs if not pair[1].problems), pairs[0])
    return entry._replace(urn=urn), health


def _unreadable(subject: str, health: Health) -> Finding:
    problem = health.problems[0]
    return _problem(subject, f"{problem.message}.", problem.hint)


def _ok(subject: str, detail: str) -> Finding:
    return Finding(subject=subject, state=State.OK, detail=detail)


def _unknown(subject: str, detail: str, hint: str = "") -> Finding:
    return Finding(subject=subject, state=State.UNKNOWN, detail=detail, hint=hint)


def _problem(subject: str, detail: str, hint: str) -> Finding:
    return Finding(subject=subject, state=State.PROBLEM, detail=detail, hint=hint)


# For people and for programs

_COLOURS = {State.OK: "32", State.WARNING: "33", State.UNKNOWN: "36", State.PROBLEM: "1;31"}
_ROWS = 200
_INDENT = " " * 9
_NARROWEST = 40


def table(diagnosis: Diagnosis, *, colour: bool = False, width: int = 100) -> str:
    """One paragraph for each finding, and a summary in the last line."""
    findings = diagnosis.findings
    lines = [line for finding in findings[:_ROWS] for line in _paragraph(finding, colour=colour, width=width)]
    if len(findings) > _ROWS:
        lines.append(f"and {len(findings) - _ROWS:,} more: `--format json` has them all")
    return "".join(f"{line}\n" for line in [*lines, "", _last_line(diagnosis)])


def document(diagnosis: Diagnosis) -> str:
    """The same as ASCII JSON; `version` changes only when a field goes away or changes its meaning."""
    findings = [
        {"subject": f.subject, "state": f.state.value, "detail": f.detail, "hint": f.hint} for f in diagnosis.findings
    ]
    return json.dumps({"version": VERSION, "healthy": not diagnosis.exit_code, "findings": findings}, indent=2) + "\n"


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


def _last_line(diagnosis: Diagnosis) -> str:
    problems = sum(finding.state is State.PROBLEM for finding in diagnosis.findings)
    return f"{count(problems, 'problem')} found." if problems else "No problems found."
