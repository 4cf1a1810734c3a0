"""What the main stage saves for the post stage.

Inside nested composite actions the runner evaluates another action's inputs for the post stage, or none. So everything
but secrets and the job's status is saved.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from incident_gate.ci.run import Run
from incident_gate.settings import OPTIONS, RunSettings, Scope

# Linux starts no process with a variable of more than 128 KiB, and saved state is handed on as one.
LONGEST_STATE = 64 * 1024
# Read again, besides secrets: header values, and what only the end of the job knows.
_READ_AGAIN = {"headers", "job-status"}


class SavedState(NamedTuple):
    """What a main stage saved.

    Args:
        conclusion: Of the gate; empty where it came to none.
        inputs: The action's inputs, without those that are read again.
        run: The run; None where nothing was saved.
        had_token: Whether the main stage had a token.
        start: When the main stage started, Unix time in seconds.
        manifest: The manifest's text; None where it was too long.
        digest: Of the manifest.
    """

    conclusion: str = ""
    inputs: Mapping[str, str] = MappingProxyType({})
    run: Run | None = None
    had_token: bool = False
    start: float | None = None
    manifest: str | None = None
    digest: str = ""

    def value_of(self, name: str, read: Callable[[str], str]) -> str:
        """An input's value: as saved, else as `read` returns it."""
        saved = self.inputs.get(name)
        return read(name) if saved is None else saved


def values_to_save(
    settings: RunSettings, read: Callable[[str], str], *, conclusion: str, manifest: bytes, start: float
) -> Mapping[str, str]:
    """The values for the runner's file of state.

    Args:
        settings: Of the main stage.
        read: The value of an input.
        conclusion: Of the gate.
        manifest: The content of the manifest's file.
        start: When the main stage started.
    """
    values = {
        "conclusion": conclusion,
        "run": json.dumps(settings.run._asdict()),
        "token": "true" if settings.connection.token else "",
        "start": str(start),
        "digest": digest_of(manifest),
    }
    inputs = {
        name: read(name)
        for name, option in OPTIONS.items()
        if Scope.ACTION in option.exists and not option.secret and name not in _READ_AGAIN
    }
    # The environment may name another server by then.
    address = settings.connection.address
    inputs |= {"datahub-url": address.graphql_url, "datahub-ui-url": address.ui_url or ""}
    # A long list of `inputs` matters to the gate alone.
    saved = next(
        (text for text in map(json.dumps, (inputs, inputs | {"inputs": ""})) if len(text) <= LONGEST_STATE), ""
    )
    if saved:
        values["inputs"] = saved
    if len(manifest) <= LONGEST_STATE:
        values["manifest"] = manifest.decode()
    return values


def saved_state(environment: Mapping[str, str]) -> SavedState:
    """What the main stage saved, as the runner hands it on."""

    def get(name: str) -> str:
        return environment.get(f"STATE_{name}", "")

    run = _mapping(get("run"))
    return SavedState(
        conclusion=get("conclusion"),
        inputs={name: value for name, value in _mapping(get("inputs")).items() if isinstance(value, str)},
        run=Run(**{name: run[name] for name in Run._fields if name in run}) if run else None,
        had_token=get("token") == "true",
        start=_number(get("start")),
        manifest=environment.get("STATE_manifest"),
        digest=get("digest"),
    )


def digest_of(manifest: bytes) -> str:
    """Changes when the manifest does."""
    return hashlib.sha256(manifest).hexdigest()


def _mapping(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
