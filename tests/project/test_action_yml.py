"""The action's metadata, its documentation and the package say the same."""

import re
import runpy
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_gate.settings.options import DEFAULT_MANIFEST, DEFAULT_TIMEOUT, Mode

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
INPUTS: dict[str, dict[str, Any]] = ACTION["inputs"]
PAGE = (ROOT / "docs/inputs.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

# An unset input falls back to one of these, or to what the manifest says; a default in action.yml would hide it.
FALLS_BACK = {"datahub-url": "DATAHUB_GMS_URL", "datahub-token": "DATAHUB_GMS_TOKEN"}


def rows(page: str) -> list[tuple[str, list[str]]]:
    """The tables' rows about one input or output: its name, and the other cells."""
    found = re.findall(r"^\| `([\w-]+)` \| (.*) \|$", page, re.MULTILINE)
    return [(name, cells.split(" | ")) for name, cells in found]


def test_page_describes_what_action_yml_has_in_its_order() -> None:
    described = [(name, re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", cells[-1])) for name, cells in rows(PAGE)]

    assert described == [
        (name, about["description"]) for kind in ("inputs", "outputs") for name, about in ACTION[kind].items()
    ]


@pytest.mark.parametrize("page", [PAGE, README], ids=["inputs.md", "README"])
def test_defaults_are_those_of_action_yml(page: str) -> None:
    told = {name: cells[0].replace("`", "") for name, cells in rows(page) if len(cells) > 1}

    assert len(told) >= 8
    for name, default in told.items():
        assert default == INPUTS[name].get("default", FALLS_BACK.get(name, default)), name


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
def test_everything_is_described(kind: str) -> None:
    assert all(
        about["description"].endswith((".", "`")) or ":" in about["description"] for about in ACTION[kind].values()
    )


@pytest.mark.parametrize(
    "name",
    [
        *FALLS_BACK,
        *(
            "on-incident",
            "on-unknown",
            "incident-key",
            "incident-title",
            "incident-message",
            "datahub-ui-url",
            "headers",
            "ca-bundle",
        ),
    ],
)
def test_input_that_falls_back_has_no_default(name: str) -> None:
    assert "default" not in INPUTS[name]


def test_defaults_are_those_of_the_package() -> None:
    assert INPUTS["manifest"]["default"] == DEFAULT_MANIFEST
    assert INPUTS["mode"]["default"] == Mode.GATE
    assert float(INPUTS["timeout"]["default"]) == DEFAULT_TIMEOUT


def test_context_of_the_job_is_read_anew_for_each_stage() -> None:
    assert INPUTS["job-status"]["default"] == "${{ job.status }}"
    assert INPUTS["matrix"]["default"] == "${{ toJSON(matrix) }}"


def test_no_input_is_required_because_the_environment_may_have_it() -> None:
    assert not [name for name, about in INPUTS.items() if about["required"]]


def test_stages_start_what_the_image_has_and_the_package_defines() -> None:
    executables = runpy.run_path(str(ROOT / "tools/image_root.py"))["EXECUTABLES"]
    scripts = {script.name: script.value for script in entry_points(group="console_scripts")}

    assert executables == {name: scripts[name] for name in executables}
    assert ACTION["runs"]["entrypoint"] == "/usr/local/bin/incident-gate-action"
    assert ACTION["runs"]["post-entrypoint"] == "/usr/local/bin/incident-gate-action-post"
    assert {Path(ACTION["runs"][stage]).name for stage in ("entrypoint", "post-entrypoint")} <= executables.keys()


def test_executables_can_be_called() -> None:
    scripts = [script for script in entry_points(group="console_scripts") if script.name.startswith("incident-gate")]

    assert len(scripts) == 3
    assert all(callable(script.load()) for script in scripts)


def test_post_stage_also_runs_after_a_failure() -> None:
    assert ACTION["runs"]["post-if"] == "always()"


def test_main_branch_builds_its_image() -> None:
    assert ACTION["runs"]["image"] == "Dockerfile"


def test_marketplace_takes_the_description() -> None:
    assert len(ACTION["description"]) <= 125
