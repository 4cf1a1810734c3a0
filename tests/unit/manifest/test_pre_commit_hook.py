"""The pre-commit hook runs a command that exists on the files that the action reads."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def hook() -> Any:
    (only,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    return only


def validates(hook: Any, path: str) -> bool:
    return bool(re.search(hook["files"], path)) and not re.search(hook["exclude"], path)


def test_the_hook_validates_the_default_manifest(hook: Any) -> None:
    command, verb = hook["entry"].split()
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert command in scripts
    assert verb == "validate"
    assert validates(hook, action["inputs"]["manifest"]["default"])


def test_the_hook_validates_the_manifests_of_the_recipes(hook: Any) -> None:
    pages = [*ROOT.glob("docs/*.md"), *ROOT.glob("examples/workflows/*.yml"), ROOT / "README.md"]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    shown = [
        re.sub(r"\$\{\{.*?\}\}", "eu", name)
        for name in re.findall(r"manifest: (.*incident-gate.*\.ya?ml)$", text, re.MULTILINE)
    ]
    assert ".github/incident-gate-eu.yml" in shown
    assert [name for name in shown if not validates(hook, name)] == []


@pytest.mark.parametrize(
    "path", [".github/workflows/incident-gate.yml", "incident-gate.py", "docs/incident-gate/x.yml"]
)
def test_the_hook_leaves_other_files_alone(hook: Any, path: str) -> None:
    assert not validates(hook, path)
