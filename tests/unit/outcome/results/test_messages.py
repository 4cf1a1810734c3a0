"""What people see of a failure: one harmless line, without the query, rows and secrets."""

import pytest

from incident_gate.outcome.result import Effect, OutputDecision
from incident_gate.outcome.results.load import result_limits
from incident_gate.outcome.results.model import LONGEST_MESSAGE, CheckStatus, ReportedResult, ResultKeeper, ResultKind
from incident_gate.text import Redactor


def failed_lines(*failed: ReportedResult) -> tuple[str, ...]:
    return OutputDecision(Effect.RAISE, failed=failed).lines


def test_each_failure_is_a_line_with_its_message() -> None:
    assert failed_lines(
        ReportedResult("model.p.a", CheckStatus.FAILED, "no such table", ResultKind.BUILD),
        ReportedResult("test.p.b", CheckStatus.FAILED),
        ReportedResult("test.p.c", CheckStatus.ERROR, "syntax error"),
    ) == (
        "- `model.p.a`: `no such table`",
        "- `test.p.b`",
        "- `test.p.c` could not be run: `syntax error`",
    )


def test_the_rest_is_counted() -> None:
    lines = failed_lines(*(ReportedResult(f"c{n}", CheckStatus.FAILED) for n in range(1234)))
    assert lines[17:] == ("- `c17`", "- `c18`", "- `c19`", "- and 1,214 more")


def test_nothing_in_a_name_or_message_is_interpreted() -> None:
    (line,) = failed_lines(ReportedResult("a`\n[x](http://evil)`\x1b[31m", CheckStatus.FAILED, "::error::`<b>@ana"))
    assert line == "- `a' [x](http://evil)'`: `: :error::'<b>@ana`"
    assert failed_lines(ReportedResult("", CheckStatus.FAILED)) == ("- `?`",)


def shown(message: str | None, *secrets: str) -> str:
    return ResultKeeper(result_limits(), Redactor(secrets)).shown(message)


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


def test_a_message_is_cut_after_secrets_in_it_were_replaced() -> None:
    assert len(shown("a" * 10_000)) == LONGEST_MESSAGE
    secret = "s3cret" * 50
    assert shown("a" * 290 + secret, secret) == "a" * 290 + "***"
