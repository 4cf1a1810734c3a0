"""The gate's own status message, which it may replace, told apart from what people write there."""

from __future__ import annotations

import hashlib
import re

_SIGNATURE = re.compile(r"Incident Gate: run (\S{1,250}), text ([0-9a-f]{8})")


def sign_message(text: str, run: str) -> str:
    """A status message that names the newest run in which the job failed, and a digest of its own text."""
    run = re.sub(r"\s", "-", run)[:200] or "none"
    return f"{text}\nIncident Gate: run {run}, text {_digest(text)}"


def is_foreign(message: str | None) -> bool:
    """Whether somebody else wrote a message or edited the gate's."""
    if not message or not message.strip():
        return False
    text, _, last = message.rstrip().rpartition("\n")
    signature = _SIGNATURE.fullmatch(last.strip())
    return signature is None or signature[2] != _digest(text)


def run_in(message: str | None) -> str:
    """The run that a message of the gate names; empty without one."""
    found = _SIGNATURE.findall(message or "")
    return found[-1][0] if found else ""


def _digest(text: str) -> str:
    # Servers and editors may change line breaks and blanks.
    return hashlib.sha256(" ".join(text.split()).encode(errors="replace")).hexdigest()[:8]
