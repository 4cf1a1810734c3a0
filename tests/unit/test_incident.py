"""The mark: the last line of a description, by which the gate recognizes an incident."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.incident import Cause, Mark, mark_in, sign

KEY, SCOPE, OLD = "a1" * 16, "b2" * 16, "c3" * 16
MARK = Mark(KEY, SCOPE, "4711")
LINE = f"Incident Gate: key {KEY}, scope {SCOPE}, run 4711, cause job"


def test_mark_is_one_line_at_the_end() -> None:
    assert MARK.line == LINE
    assert sign("What happened.\n\n", MARK) == f"What happened.\n\n{LINE}"
    assert sign("", MARK).endswith(f"\n{LINE}")


def test_run_that_has_no_id_is_none() -> None:
    line = Mark(KEY, SCOPE).line

    assert line == f"Incident Gate: key {KEY}, scope {SCOPE}, run none, cause job"
    assert mark_in(line) == Mark(KEY, SCOPE)


@pytest.mark.parametrize("cause", list(Cause))
def test_cause_is_read(cause: Cause) -> None:
    assert mark_in(Mark(KEY, SCOPE, "1", cause).line) == Mark(KEY, SCOPE, "1", cause)


@given(st.text(), st.text(), st.sampled_from(Cause))
def test_mark_is_found_again_in_any_signed_description(description: str, run: str, cause: Cause) -> None:
    found = mark_in(sign(description, Mark(KEY, SCOPE, run, cause)))

    assert found is not None
    assert (found.key, found.scope, found.cause) == (KEY, SCOPE, cause)


def test_run_keeps_what_airflow_puts_into_it() -> None:
    run = "scheduled__2026-01-31T06:00:00.123456+00:00"

    assert mark_in(Mark(KEY, SCOPE, run).line) == Mark(KEY, SCOPE, run)
    # DataHub's editor escapes underscores.
    assert mark_in(Mark(KEY, SCOPE, run).line.replace("_", "\\_")) == Mark(KEY, SCOPE, run)


@pytest.mark.parametrize(
    "description",
    [
        LINE,
        f"text\n\n{LINE}\n\n  ",
        f"text\r\n\r\n{LINE}\r\n",
        f"text\n  {LINE}  ",
        # A person may write below it.
        f"{LINE}\nand more",
        f"{LINE}\n\n&nbsp;",
        f"{LINE.replace(KEY, OLD)}\n{LINE}\nand more",
        f"{LINE}\n> {LINE.replace(KEY, OLD)}",
    ],
)
def test_mark_is_found_on_a_line_of_its_own(description: str) -> None:
    assert mark_in(description) == MARK


@pytest.mark.parametrize(
    "description",
    [
        None,
        "",
        "   \n",
        # Quoted, or with something before or after it: that is somebody else's text.
        f"> {LINE}",
        f"see {LINE}",
        f"{LINE}.",
        LINE.lower(),
        LINE.replace("Incident", "***"),
        # Not 32 lower-case hexadecimal digits each.
        LINE.replace(KEY, KEY[1:]),
        LINE.replace(KEY, f"{KEY}0"),
        LINE.replace(KEY, KEY.upper()),
        LINE.replace(KEY, "g" * 32),
        LINE.replace(SCOPE, ""),
        LINE.replace("cause job", "cause other"),
        LINE.replace("run 4711, ", ""),
        f"Incident Gate key: {KEY}",
    ],
)
def test_anything_else_is_no_mark(description: str | None) -> None:
    assert mark_in(description) is None
