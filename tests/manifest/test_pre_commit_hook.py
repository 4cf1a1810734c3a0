"""The pre-commit hook runs a command that exists on the file that the action reads."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_the_hook_validates_the_default_manifest() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    command, verb = hook["entry"].split()
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert command in scripts
    assert verb == "validate"
    assert re.search(hook["files"], action["inputs"]["manifest"]["default"])
    assert not re.search(hook["files"], ".github/workflows/incident-gate.yml")
