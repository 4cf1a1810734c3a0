from collections.abc import Sequence

from incident_gate.outcome.model import Effect, OutputDecision
from incident_gate.outcome.results.model import CheckStatus, ReportedResult, ResultKind


def failed_lines(failed: Sequence[ReportedResult]) -> tuple[str, ...]:
    return OutputDecision(Effect.RAISE, failed=tuple(failed)).lines


def test_each_failure_is_a_line_with_its_message() -> None:
    failed = [
        ReportedResult("model.p.a", CheckStatus.FAILED, "no such table", ResultKind.BUILD),
        ReportedResult("test.p.b", CheckStatus.FAILED),
        ReportedResult("test.p.c", CheckStatus.ERROR, "syntax error"),
    ]
    assert failed_lines(failed) == (
        "- `model.p.a`: `no such table`",
        "- `test.p.b`",
        "- `test.p.c` could not be run: `syntax error`",
    )


def test_the_rest_is_counted() -> None:
    lines = failed_lines([ReportedResult(f"c{n}", CheckStatus.FAILED) for n in range(1234)])
    assert lines[17:] == ("- `c17`", "- `c18`", "- `c19`", "- and 1,214 more")


def test_nothing_in_a_name_or_message_is_interpreted() -> None:
    (line,) = failed_lines([ReportedResult("a`\n[x](http://evil)`\x1b[31m", CheckStatus.FAILED, "::error::`<b>@ana")])
    assert line == "- `a' [x](http://evil)'`: `: :error::'<b>@ana`"
    assert failed_lines([ReportedResult("", CheckStatus.FAILED)]) == ("- `?`",)
