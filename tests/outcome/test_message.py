"""The gate's own status message."""

import pytest

from incident_gate.outcome.message import is_foreign, run_in, sign_message

OWN = sign_message("Failed again in nightly #7.", "1007")


def test_own_message_is_recognized_and_names_the_run() -> None:
    assert OWN.startswith("Failed again in nightly #7.\nIncident Gate: run 1007, text ")
    assert not is_foreign(OWN)
    assert run_in(OWN) == "1007"


@pytest.mark.parametrize("text", ["", "one\ntwo", "Ana's words.\nFailed again.", OWN])
def test_any_text_can_be_signed(text: str) -> None:
    assert not is_foreign(sign_message(text, "1"))


@pytest.mark.parametrize("changed", [OWN.replace("\n", "\r\n"), f"{OWN}\n", f"{OWN}  \n\n", f"  {OWN}"])
def test_layout_does_not_matter(changed: str) -> None:
    assert not is_foreign(changed)


@pytest.mark.parametrize("message", [None, "", " \n"])
def test_no_message_is_nobodys(message: str | None) -> None:
    assert not is_foreign(message)
    assert run_in(message) == ""


@pytest.mark.parametrize(
    "message",
    [
        "Ana: looking at the loader",
        f"{OWN}\nAna: looking at the loader",
        f"Ana: looking at the loader\n{OWN}",
        OWN.replace("again", "again, Ana is on it,"),
        OWN.partition("\n")[0],
        f"> {OWN.partition(chr(10))[2]}",
    ],
)
def test_what_a_person_wrote_or_edited_is_foreign(message: str) -> None:
    assert is_foreign(message)


def test_run_is_one_word() -> None:
    assert run_in(sign_message("x", "a b")) == "a-b"
    assert run_in(sign_message("x", "")) == "none"
    assert not is_foreign(sign_message("x", ""))
