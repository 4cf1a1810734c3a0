"""The table of options against action.yml, the command line and what the settings read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_gate.cli.main import COMMANDS
from incident_gate.settings.options import OPTIONS, OptionScope, options_of
from incident_gate.settings.read import read_settings
from tests.helpers.command import gate

ROOT = Path(__file__).parents[3]
INPUTS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
# The action evaluates these for every step; elsewhere they are unset.
EXPRESSIONS = {"job-status", "matrix", "github-token"}


def test_inputs_are_those_of_the_table() -> None:
    assert sorted(INPUTS) == sorted(option.name for option in options_of(OptionScope.ACTION))


@pytest.mark.parametrize("name", INPUTS)
def test_default_of_an_input_is_that_of_the_table(name: str) -> None:
    written = INPUTS[name].get("default")

    if name in EXPRESSIONS:
        assert str(written).startswith("${{ ")
    elif written is not None:
        assert written == (OPTIONS[name].default or "false")


def test_every_option_is_read_once() -> None:
    read: list[str] = []

    def get(name: str) -> str:
        read.append(name)
        # What is read only where this one is set.
        return "https://datahub.example.com" if name == "datahub-url" else ""

    read_settings(get, {})

    assert sorted(read) == sorted(OPTIONS)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name in list(OptionScope)])
def test_help_of_a_command_has_its_options(command: str) -> None:
    shown = set(re.findall(r"^  (--[\w-]+)", gate(command, "--help").out, re.MULTILINE))
    own = {"--format", "--explain", "--online", "--verbose"}

    assert shown - own == {option.flag for option in options_of(OptionScope(command))}


def test_every_option_exists_somewhere() -> None:
    assert all(option.exists for option in OPTIONS.values())
    assert all(option.help[0].islower() or option.help.startswith("PEM") for option in OPTIONS.values())
