"""What this job writes into DataHub, for the person who finds it there, kept apart from what people write there."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote

from incident_gate.ci.run import OUTSIDE_CI, Run
from incident_gate.datahub.incidents import NewIncident
from incident_gate.incident import Cause, Mark, run_word, sign
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.result import JOB_FAILED, JOB_SUCCEEDED, OutputDecision
from incident_gate.text import code_span

_RESOLVED_WHEN = {
    Cause.JOB: "the job succeeds again",
    Cause.BUILD: "it is built again",
    Cause.CHECKS: "all of its checks pass again",
}
_SIGNATURE = re.compile(r"Incident Gate: run (\S{1,250})(?:, cause (checks|build))?, text ([0-9a-f]{8})")
# A status message is shown in one small field.
_KEPT_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Titles, descriptions and messages of one run.

    `title` is the user's, before the manifest's and ours; `message` the user's text, which descriptions and messages
    begin with; `matrix` the leg as JSON. `on_request`: a step's mode decides, whatever the job's status is.
    """

    run: Run
    title: str = ""
    message: str = ""
    matrix: str = ""
    on_request: bool = False

    def incident(
        self, output: OutputEntry, mark: Mark, now_ms: int, decision: OutputDecision = JOB_FAILED
    ) -> NewIncident:
        """The incident to raise on an output."""
        template = output.incident
        is_type_derived = bool(decision.type) and not template.sets_type
        return NewIncident(
            asset=output.urn.text,
            type=decision.type if is_type_derived else template.type,
            is_type_derived=is_type_derived,
            custom_type=template.custom_type,
            title=self.title or template.title or self._title(output, decision),
            description=sign(self._description(template.description, decision), mark),
            priority=template.priority,
            assignees=template.assignees,
            started_ms=now_ms,
        )

    def still_failing(self, newest_run: str, cause: Cause = Cause.JOB, decision: OutputDecision = JOB_FAILED) -> str:
        """The message on an incident that goes on."""
        again = "Raised again by" if self.on_request and not decision.headline else "Failed again in"
        text = f"{again} {self._where}{f': {decision.headline}' if decision.headline else ''}."
        more = ["- ..."] if decision.lines[_KEPT_LINES:] else []
        return sign_message(
            self._with_own_words("\n".join((text, *decision.lines[:_KEPT_LINES], *more))), newest_run, cause
        )

    def resolved(self, earlier: str | None, decision: OutputDecision = JOB_SUCCEEDED) -> str:
        """The message on an incident that is over."""
        why = ", which succeeded"
        if decision.by_results and decision.reason:
            why = f": {decision.reason}"
        elif self.on_request:
            why = " on request"
        return _above(earlier, self._with_own_words(f"Resolved by {self._where}{why}."))

    def duplicate(self, kept: str, earlier: str | None) -> str:
        """The message on one that was raised twice."""
        return _above(earlier, f"Duplicate of {kept}, raised by {self._where}.")

    def _title(self, output: OutputEntry, decision: OutputDecision) -> str:
        if decision.headline:
            return f"{output.label}: {decision.headline}"
        job = self.run.job or self.run.workflow
        if self.on_request:
            return f"{output.label} may be out of date or wrong"
        who = f"job {job}" if job else "the job that writes it"
        return f"{output.label} may be out of date or wrong: {who} failed"

    def _description(self, own: str | None, decision: OutputDecision) -> str:
        run = self.run
        file = f" ({code_span(run.workflow_file)})" if run.workflow_file not in {"", run.workflow} else ""
        place = f" in {code_span(run.repository)}" if run.repository else ""
        workflow = f"{code_span(run.workflow)}{file}{place}"
        commit = f"{run.commit} ({run.ref})" if run.commit and run.ref else run.commit or run.ref
        facts = [
            ("Job", f"{code_span(run.job)} of workflow {workflow}" if run.job else workflow if run.workflow else ""),
            ("Matrix", code_span(self.matrix)),
            ("Run", self._where if run.run_id else ""),
            ("Commit", code_span(commit)),
            ("Started by", code_span(run.actor)),
        ]
        head = self.message or own or ""
        if decision.headline:
            failed = "\n".join((f"{decision.headline[:1].upper()}{decision.headline[1:]}:", *decision.lines))
        else:
            job = "The data may" if self.on_request else "The job that writes this asset failed, so its data may"
            failed = "" if head else f"{job} be out of date or wrong."
        # DataHub shows a description as Markdown since 1.0 and as plain text before: a list reads well as either.
        listed = "\n".join(f"- {name}: {value}" for name, value in facts if value)
        foot = (
            f"Raised by DataHub Incident Gate, and resolved by it when {_RESOLVED_WHEN[decision.cause]}. "
            "Resolve it by hand if the data was corrected otherwise. The last line identifies the job: do not edit it."
        )
        return "\n\n".join(part for part in (head.strip(), failed, listed, foot) if part)

    def _with_own_words(self, text: str) -> str:
        return f"{self.message}\n{text}" if self.message else text

    @property
    def _where(self) -> str:
        name = self.run.name
        return name if name == OUTSIDE_CI else f"{code_span(name)}{_link(self.run.url)}"


def _above(earlier: str | None, text: str) -> str:
    """The text; below it what a person wrote before."""
    return f"{text}\n\nBefore: {earlier}" if is_foreign(earlier) else text


def _link(url: str) -> str:
    """A run's address, which DataHub turns into a link; a variable of any job may have set it."""
    if not url:
        return ""
    if not url.startswith(("https://", "http://")):
        return f" ({code_span(url)})"
    # What would end the link or begin another markup is encoded; what is encoded already stays.
    target = quote(url, safe="/:?#@!$&+,;=%~'", errors="replace")
    return f" ({target})"


# The gate's own status message, which it may replace


def sign_message(text: str, run: str, cause: Cause = Cause.JOB) -> str:
    """A status message that names the newest run in which the job failed, what resolves the incident, and a digest."""
    named = "" if cause is Cause.JOB else f", cause {cause}"
    return f"{text}\nIncident Gate: run {run_word(run)}{named}, text {_digest(text)}"


def is_foreign(message: str | None) -> bool:
    """Whether somebody else wrote a message or edited the gate's."""
    if not message or not message.strip():
        return False
    text, _, last = message.rstrip().rpartition("\n")
    signature = _SIGNATURE.fullmatch(last.strip())
    return signature is None or signature[3] != _digest(text)


def run_in(message: str | None) -> str:
    """The run that a message of the gate names; empty without one."""
    found = _SIGNATURE.findall(message or "")
    return found[-1][0] if found else ""


def cause_in(message: str | None) -> Cause | None:
    """The cause that a message of the gate names; None without one."""
    found = _SIGNATURE.findall(message or "")
    return Cause(found[-1][1]) if found and found[-1][1] else None


def _digest(text: str) -> str:
    # Servers and editors may change line breaks and blanks.
    return hashlib.sha256(" ".join(text.split()).encode(errors="replace")).hexdigest()[:8]
