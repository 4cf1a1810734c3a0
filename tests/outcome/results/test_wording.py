import pytest

from incident_gate.outcome.results.load import result_limits
from incident_gate.outcome.results.model import LONGEST_MESSAGE, Reading
from incident_gate.text import Redactor


def shown(message: str | None, *secrets: str) -> str:
    return Reading(result_limits(), Redactor(secrets)).shown(message)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (None, ""),
        ("", ""),
        ("\n\n", ""),
        ("Got 1 result", "Got 1 result"),
        ("\n\nactual differs from expected:\n\n@@ ,id\r\n+++,1\n", "actual differs from expected"),
        (
            "Database Error in model a (a.sql)\n  no such table\n  LINE 1: x",
            "Database Error in model a (a.sql): no such table",
        ),
        ("Database Error in model a (a.sql)\n  LINE 1: secret", "Database Error in model a (a.sql)"),
        ("Runtime Error in test b no such column LINE 11: secret", "Runtime Error in test b no such column"),
        ("(psycopg2.Error) broken [SQL: select secret]", "(psycopg2.Error) broken"),
        ("duplicate key DETAIL: Key (email)=(secret)", "duplicate key"),
        ("a failure\nwith secret values", "a failure"),
        ("\x1b[31mred\x1b[0m #x1B[31mred#x1B[0m", "red red"),
        ("::error::no command", ": :error::no command"),
    ],
)
def test_a_message_is_one_line_without_the_query(message: str | None, line: str) -> None:
    assert shown(message) == line


def test_a_message_is_cut() -> None:
    assert len(shown("a" * 10_000)) == LONGEST_MESSAGE


def test_a_secret_is_replaced_before_the_message_is_cut() -> None:
    secret = "s3cret" * 50
    message = shown("a" * 290 + secret, secret)
    assert message == "a" * 290 + "***"
