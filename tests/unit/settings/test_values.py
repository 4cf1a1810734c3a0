"""Values of options: their names, their defaults, and their errors together."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_gate.datahub.connection import Spelling
from incident_gate.errors import SettingError
from incident_gate.settings import options
from incident_gate.settings.read import Values


def values(spelling: Spelling = Spelling.INPUT, **given: str) -> Values:
    return Values(lambda name: given.get(name.replace("-", "_"), ""), spelling)


def test_value_is_parsed_without_the_spaces_around_it() -> None:
    assert values(mode=" raise \n")(options.MODE) is options.Mode.RAISE


def test_option_that_is_unset_or_blank_has_its_default() -> None:
    read = values(wait_interval=" ")

    assert read(options.TIMEOUT) == options.DEFAULT_TIMEOUT
    assert read(options.WAIT_INTERVAL) == float(options.WAIT_INTERVAL.default.removesuffix("s"))
    read.finish()


def test_errors_are_collected_and_raised_together_in_their_order(tmp_path: Path) -> None:
    read = values(Spelling.OPTION, timeout="x", dry_run="maybe")

    assert read(options.TIMEOUT) == options.DEFAULT_TIMEOUT
    assert read(options.DRY_RUN) is False
    assert read.path(options.MANIFEST, "../gate.yml", tmp_path) == Path()
    read.add("Something else.", hint="Leave it out.")
    with pytest.raises(SettingError) as caught:
        read.finish()

    assert str(caught.value).splitlines() == [
        "--timeout is 'x'. Use a number with a unit, like 90s, 30m or 2h.",
        "--dry-run is 'maybe'. Use true or false.",
        "--manifest leads out of the workspace: '../gate.yml'. Use a path below the repository's checkout.",
        "Something else. Leave it out.",
    ]
