"""What this job writes into DataHub, for the person who finds it there."""

from __future__ import annotations

from dataclasses import dataclass

from incident_gate.ci.run import Run
from incident_gate.datahub.incidents import NewIncident
from incident_gate.incident import Mark, sign
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.message import is_foreign, sign_message


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Titles, descriptions and messages of one run.

    Args:
        run: The run that reports.
        title: The user's title for what is raised; empty leaves it to the manifest or to us.
        message: The user's words: they head the description of what is raised and the message of what is resolved.
        matrix: The matrix leg as JSON, empty without one.
    """

    run: Run
    title: str = ""
    message: str = ""
    matrix: str = ""

    def incident(self, output: OutputEntry, mark: Mark, now_ms: int) -> NewIncident:
        """The incident to raise on an output."""
        template = output.incident
        return NewIncident(
            asset=output.urn.text,
            type=template.type,
            custom_type=template.custom_type,
            title=self.title or template.title or self._title(output),
            description=sign(self._description(template.description), mark),
            priority=template.priority,
            assignees=template.assignees,
            started_ms=now_ms,
        )

    def still_failing(self, newest_run: str) -> str:
        """The message on an incident that goes on; it names the newest run in which the job failed."""
        return sign_message(self._with_own_words(f"Failed again in {self._where()}."), newest_run)

    def resolved(self, earlier: str | None) -> str:
        """The message on an incident that is over; what a person wrote there before is kept below it."""
        text = self._with_own_words(f"Resolved by {self._where()}, which succeeded.")
        return f"{text}\n\nBefore: {earlier}" if is_foreign(earlier) else text

    def duplicate(self, kept: str, earlier: str | None) -> str:
        """The message on one that was raised twice."""
        text = f"Duplicate of {kept}, raised by {self._where()}."
        return f"{text}\n\nBefore: {earlier}" if is_foreign(earlier) else text

    def _title(self, output: OutputEntry) -> str:
        job = self.run.job or self.run.workflow
        who = f"job {job}" if job else "the job that writes it"
        return f"{output.label} may be out of date or wrong: {who} failed"

    def _description(self, own: str | None) -> str:
        run = self.run
        file = f" ({run.workflow_file})" if run.workflow_file not in {"", run.workflow} else ""
        workflow = f"{run.workflow}{file}" + (f" in {run.repository}" if run.repository else "")
        facts = [
            ("Job", f"{run.job} of workflow {workflow}" if run.job else workflow if run.workflow else ""),
            ("Matrix", self.matrix),
            ("Run", self._where() if run.run_id else ""),
            ("Commit", f"{run.commit} ({run.ref})" if run.ref else run.commit),
            ("Started by", run.actor),
        ]
        head = self.message or own or "The job that writes this asset failed, so its data may be out of date or wrong."
        # DataHub shows a description as Markdown since 1.0 and as plain text before: a list reads well as either.
        listed = "\n".join(f"- {name}: {value}" for name, value in facts if value)
        foot = (
            "Raised by DataHub Incident Gate, and resolved by it when the job succeeds again. "
            "Resolve it by hand if the data was corrected otherwise. The last line identifies the job: do not edit it."
        )
        return "\n\n".join(part for part in (head.strip(), listed, foot) if part)

    def _with_own_words(self, text: str) -> str:
        return f"{self.message}\n{text}" if self.message else text

    def _where(self) -> str:
        return f"{self.run.name} ({self.run.url})" if self.run.url else self.run.name
