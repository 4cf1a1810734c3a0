"""What the main stage saves for the post stage.

Inside nested composite actions the runner evaluates another action's inputs for the post stage, or none. So everything
but secrets and the job's status is saved, each value for itself, with the list of what is saved: where the end of the
job lacks one of them, it would write with a forgotten `dry-run` or `incident-key`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from incident_gate.ci.run import Run
from incident_gate.json_values import mapping
from incident_gate.settings.model import RunSettings
from incident_gate.settings.options import OPTIONS, OptionScope

# Linux starts no process with a variable of more than 128 KiB, and saved state is handed on as one.
LONGEST_STATE = 64 * 1024
# Read again, besides secrets: header values, and what only the end of the job knows.
_READ_AGAIN = {"headers", "job-status"}
_INPUT = "input-"


class SavedState(NamedTuple):
    """What a main stage saved.

    `conclusion` is empty where the gate came to none; `inputs` lack those that are read again; `start` is when the main
    stage started, Unix time in seconds; `manifest` is None where its text was too long, and `digest` is that of its
    text. `missing` names what was to be saved and is not there.
    """

    conclusion: str = ""
    inputs: Mapping[str, str] = MappingProxyType({})
    run: Run | None = None
    had_token: bool = False
    start: float | None = None
    manifest: str | None = None
    digest: str = ""
    missing: tuple[str, ...] = ()

    def value_of(self, name: str, read: Callable[[str], str]) -> str:
        """An input's value: as saved, or as `read` returns it where it is read again."""
        return read(name) if _is_read_again(name) else self.inputs.get(name, "")


def values_to_save(
    settings: RunSettings, read: Callable[[str], str], *, conclusion: str, manifest: bytes, start: float
) -> Mapping[str, str]:
    """The values for the runner's file of state; one that is too long is only listed."""
    values = {
        "run": json.dumps(settings.run._asdict()),
        "token": "true" if settings.connection.token else "",
        "start": str(start),
        "digest": digest_of(manifest),
    }
    inputs = {name: read(name) for name, option in OPTIONS.items() if OptionScope.ACTION in option.exists}
    # The environment may name another server by then.
    address = settings.connection.address
    inputs |= {"datahub-url": address.graphql_url, "datahub-ui-url": address.ui_url or ""}
    # A long list of `inputs` matters to the gate alone.
    inputs["inputs"] = inputs["inputs"] if _fits(inputs["inputs"]) else ""
    values |= {f"{_INPUT}{name}": value for name, value in inputs.items() if not _is_read_again(name)}
    saved = {name: value for name, value in values.items() if value}
    text = manifest.decode(errors="replace")
    return {
        "conclusion": conclusion,
        "saved": " ".join(saved),
        **{name: value for name, value in saved.items() if _fits(value)},
        **({"manifest": text} if _fits(text) else {}),
    }


def too_long(values: Mapping[str, str]) -> tuple[str, ...]:
    """What of the values to save is only listed, for people."""
    return tuple(_shown(name) for name in values.get("saved", "").split() if name not in values)


def saved_state(environment: Mapping[str, str]) -> SavedState:
    """What the main stage saved, as the runner hands it on."""

    def get(name: str) -> str:
        return environment.get(f"STATE_{name}", "")

    names = get("saved").split()
    run, start = _run(get("run")), _number(get("start"))
    damaged = [name for name, value in (("run", run), ("start", start)) if value is None]
    missing = [name for name in ("saved", "digest", *names) if not get(name)]
    return SavedState(
        conclusion=get("conclusion"),
        inputs={name.removeprefix(_INPUT): get(name) for name in names if name.startswith(_INPUT)},
        run=run,
        had_token=get("token") == "true",
        start=start,
        manifest=environment.get("STATE_manifest"),
        digest=get("digest"),
        missing=tuple(dict.fromkeys(map(_shown, (*missing, *damaged)))),
    )


def digest_of(manifest: bytes) -> str:
    """Changes when the manifest does."""
    return hashlib.sha256(manifest).hexdigest()


def _is_read_again(name: str) -> bool:
    return OPTIONS[name].secret or name in _READ_AGAIN


def _fits(value: str) -> bool:
    return len(value.encode(errors="replace")) <= LONGEST_STATE


def _shown(name: str) -> str:
    return name.removeprefix(_INPUT)


def _run(text: str) -> Run | None:
    try:
        saved = mapping(json.loads(text)) if text else {}
    except (ValueError, RecursionError):
        return None
    return Run(**{name: saved[name] for name in Run._fields if name in saved}) if saved else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
