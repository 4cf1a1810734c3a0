"""Parsers of option values: what each accepts, and that an error names what the user set."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.errors import SettingError
from incident_gate.settings import parse


def error(parser: Callable[[str, str], Any], value: str) -> str:
    with pytest.raises(SettingError) as caught:
        parser(value, "--option")
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("90s", 90),
        ("30m", 1800),
        ("2h", 7200),
        ("1d", 86_400),
        ("1.5h", 5400),
        ("0.5", 0.5),
        ("5 m", 300),
        ("10M", 600),
    ],
)
def test_duration_is_a_number_with_a_unit(text: str, seconds: float) -> None:
    assert parse.duration(text, "wait") == seconds


@pytest.mark.parametrize("text", ["", "-1", "1w", "m", "1h30m", "nan", "inf", "1e3", "٣", "1 2"])
def test_other_durations_are_refused(text: str) -> None:
    assert error(parse.duration, text) == f"--option is {text!r}."


def test_interval_is_not_zero() -> None:
    assert parse.interval("1s", "wait-interval") == 1
    assert error(parse.interval, "0s") == "--option is '0s'."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1", {"A": "1"}),
        (" A = 1 = 2 \n\nB_1=\n", {"A": "1 = 2", "B_1": ""}),
        ("A=x\nA=x", {"A": "x"}),
        ("", {}),
    ],
)
def test_variables_are_one_a_line(text: str, found: dict[str, str]) -> None:
    assert parse.variables(text, "variables") == found


@pytest.mark.parametrize("text", ["A", "=1", "1A=x", "A-B=1", "${A}=1"])
def test_variable_without_a_name_is_refused(text: str) -> None:
    assert error(parse.variables, text) == f"--option has {text!r}."


def test_variable_with_two_values_is_refused() -> None:
    assert error(parse.variables, "A=1\nA=2") == "--option sets A twice, to different values."


def test_items_are_separated_by_commas_or_lines() -> None:
    assert parse.items("main, release/*\n\nhotfix,,", "report-branches") == ("main", "release/*", "hotfix")


def test_items_are_of_known_words() -> None:
    words = parse.items_of(("raised", "blocked"))

    assert words("blocked,raised", "notify-on") == {"raised", "blocked"}
    assert error(words, "raised, kept") == "--option has 'kept'."


@pytest.mark.parametrize(
    ("text", "leg"), [("", ""), ("null", ""), ("{}", ""), ('{"b": 1, "a": [2]}', '{"a":[2],"b":1}')]
)
def test_matrix_leg_is_canonical_json(text: str, leg: str) -> None:
    assert parse.matrix(text, "matrix") == leg


@pytest.mark.parametrize("text", ["eu", "'{}'", "{", '"eu"', "[1]", "3", "{" * 100_000])
def test_matrix_that_is_no_json_object_is_refused(text: str) -> None:
    assert error(parse.matrix, text).startswith("--option is ")


@pytest.mark.parametrize(
    "text",
    [
        "https://hooks.slack.com/services/T/B/x",
        "http://localhost:8080/x",
        "http://127.0.0.1:1/",
        "http://[::1]:1/",
        "",
    ],
)
def test_service_is_reached_by_https_or_on_this_machine(text: str) -> None:
    assert parse.service_url(text, "webhook") == text


@pytest.mark.parametrize(
    "text",
    [
        "http://hooks.slack.com/s3cr3t",
        "http://localhost.evil.com/s3cr3t",
        "http://127.0.0.1@evil.com/s3cr3t",
        "s3cr3t",
        "https://",
        "https://a b/s3cr3t",
        "ftp://x/s3cr3t",
        "https://[s3cr3t",
    ],
)
def test_other_services_are_refused_without_showing_their_address(text: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse.service_url(text, "webhook")

    assert str(caught.value).startswith("webhook is not ")
    assert "s3cr3t" not in f"{caught.value!r}{caught.value}"


def encoded(length: int) -> str:
    return f"whsec_{base64.b64encode(b'x' * length).decode()}"


@pytest.mark.parametrize("text", ["", encoded(24), encoded(64), encoded(25).rstrip("=")])
def test_signing_secret_is_of_standard_webhooks(text: str) -> None:
    assert parse.webhook_secret(text, "webhook-secret") == text


@pytest.mark.parametrize("text", ["abc", "a" * 32, encoded(24)[6:], encoded(23), encoded(65), "whsec_", "whsec_*"])
def test_other_signing_secrets_are_refused_without_showing_them(text: str) -> None:
    assert error(parse.webhook_secret, text) == "--option is not a signing secret."


def test_reason_that_nobody_can_see_is_none() -> None:
    assert parse.reason(" backfill\n DATA-123 ", "override") == "backfill DATA-123"
    for invisible in (" ", "\u200b\u2060", "\u3164\u2800", "\u202e\ufeff", "\U000e0100"):
        assert not parse.reason(invisible, "override")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("3", 3)])
def test_count_is_a_whole_number(text: str, number: int) -> None:
    assert parse.count(3)(text, "downstream-hops") == number


@pytest.mark.parametrize("text", ["4", "-1", "1.0", "x", "", "1" * 5000, "²"])
def test_other_counts_are_refused(text: str) -> None:
    assert error(parse.count(3), text).startswith("--option is ")


def test_reports_are_format_and_path() -> None:
    assert parse.report_files("json=out/a.json\njunit = b=c.xml\nmarkdown=-", "reports") == (
        parse.ReportFile("json", "out/a.json"),
        parse.ReportFile("junit", "b=c.xml"),
        parse.ReportFile("markdown", "-"),
    )


@pytest.mark.parametrize("text", ["json", "json=", "xml=a", "=a", "JSON=a"])
def test_other_reports_are_refused(text: str) -> None:
    assert error(parse.report_files, text) == f"--option has {text!r}."


def test_two_reports_need_two_paths() -> None:
    assert error(parse.report_files, "json=a\njunit=a") == "--option names 'a' twice."


@given(st.text(max_size=200))
def test_no_text_breaks_a_parser(text: str) -> None:
    parsers: list[Callable[[str, str], Any]] = [
        *(parse.duration, parse.interval, parse.variables, parse.headers, parse.report_files, parse.service_url),
        *(parse.matrix, parse.secret, parse.flag, parse.lines, parse.items, parse.count(5), parse.seconds(60)),
    ]
    for parser in parsers:
        try:
            parser(text, "option")
        except SettingError as refused:
            assert str(refused)  # noqa: PT017 - any text may be fine or refused
