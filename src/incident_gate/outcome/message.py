"""The gate's own status message, which it may replace, kept apart from what people write there."""

from __future__ import annotations

import hashlib
import re

from incident_gate.incident import Cause

_SIGNATURE = re.compile(r"Incident Gate: run (\S{1,250})(?:, cause (checks|build))?, text ([0-9a-f]{8})")


def sign_message(text: str, run: str, cause: Cause = Cause.JOB) -> str:
    """A status message that names the newest run in which the job failed, what resolves the incident, and a digest."""
    run = re.sub(r"\s", "-", run)[:200] or "none"
    named = "" if cause is Cause.JOB else f", cause {cause}"
    return f"{text}\nIncident Gate: run {run}{named}, text {_digest(text)}"


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
