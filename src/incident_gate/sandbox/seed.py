"""What a sandbox holds at its start: samples, or what a JSON file lists."""

import json
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from .request import Grant, ViewPolicy
from .store import Store

_SECTIONS = ("assets", "lineage", "incidents", "assertions", "operations", "tokens")


class Seed(NamedTuple):
    """The content of a file: a function that puts it into a store, and the tokens that it lists."""

    fill: Callable[[Store], None]
    grants: tuple[Grant, ...]


def sample_seed(store: Store) -> None:
    """A few assets of each kind: healthy, removed, siblings, owned, tagged, connected. None has an incident."""
    _fill(store, _samples())


def sample_urns() -> list[str]:
    """URNs of the sample assets, in the order of their file."""
    return [entry["urn"] for entry in _samples()["assets"]]


def seed_from(path: Path) -> Seed:
    """Read `{"assets": [...], "lineage": [...], "incidents": [...], "assertions": [...], "tokens": [...]}`.

    The entries hold the arguments of `Store.add_asset`, `add_lineage`, `raise_incident`, `add_assertion` (with `runs`),
    `add_operation` and of `Grant`. An asset may be a bare URN, a run a bare result.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict) or set(content) - set(_SECTIONS):
        raise ValueError(f"{path}: expected an object with any of {', '.join(_SECTIONS)}")
    trial = Store()
    try:
        # Tried out on a store of its own, so that a mistake is found before the server runs.
        _fill(trial, content)
        grants = tuple(map(_grant, content.get("tokens", ())))
    except (TypeError, AttributeError, LookupError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    finally:
        trial.close()
    return Seed(lambda store: _fill(store, content), grants)


def _samples() -> dict[str, Any]:
    text = (resources.files(__package__) / "samples.json").read_text(encoding="utf-8")
    samples: dict[str, Any] = json.loads(text)
    return samples


def _fill(store: Store, content: Mapping[str, Sequence[Any]]) -> None:
    for asset in content.get("assets", ()):
        store.add_asset(**({"urn": asset} if isinstance(asset, str) else asset))
    for edge in content.get("lineage", ()):
        store.add_lineage(**edge)
    for incident in content.get("incidents", ()):
        store.raise_incident(**incident)
    for entry in content.get("assertions", ()):
        assertion = store.add_assertion(**{name: value for name, value in entry.items() if name != "runs"})
        for run in entry.get("runs", ()):
            store.add_run(assertion, **({"result": run} if isinstance(run, str) else run))
    for operation in content.get("operations", ()):
        store.add_operation(**operation)


def _grant(entry: Mapping[str, Any]) -> Grant:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    if values.get("views") is not None:
        values["views"] = tuple(
            ViewPolicy(**{name: tuple(value) for name, value in policy.items()}) for policy in values["views"]
        )
    return Grant(**values)
