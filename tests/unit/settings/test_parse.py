"""Parsers of option values: what each accepts, and that an error names what the user set."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.errors import SettingError
from incident_gate.manifest.model import OnIncident
from incident_gate.settings import options, parse
from incident_gate.settings.parse import ReportFile
from incident_gate.urn import parse_urn

Parser = Callable[[str, str], Any]

CHART, DASHBOARD = "urn:li:chart:(a,b)", "urn:li:dashboard:(a,b)"
timeout = options.TIMEOUT.parse
count = options.DOWNSTREAM_HOPS.parse


def encoded(length: int) -> str:
    return f"whsec_{base64.b64encode(b'x' * length).decode()}"


@pytest.mark.parametrize(
    ("parser", "text", "value"),
    [
        (parse.duration, "0", 0),
        (parse.duration, "90", 90),
        (parse.duration, "90s", 90),
        (parse.duration, "10M", 600),
        (parse.duration, "2h", 7200),
        (parse.duration, "1d", 86_400),
        (parse.duration, "1.5h", 5400),
        (parse.duration, "0.5", 0.5),
        (parse.duration, "5 m", 300),
        (parse.interval, "1s", 1),
        (timeout, "6 h", 21_600),
        (count, "0", 0),
        (count, "3", 3),
        *((parse.flag, word, True) for word in ("true", "True", "TRUE")),
        *((parse.flag, word, False) for word in ("false", "False", "FALSE", "")),
        (options.ON_INCIDENT.parse, "warn", OnIncident.WARN),
        (options.ON_INCIDENT.parse, "", None),
        (options.NOTIFY_ON.parse, "blocked,raised", {"raised", "blocked"}),
        (parse.items, "main, release/*\n\nhotfix,,", ("main", "release/*", "hotfix")),
        (parse.urns, f"{CHART}\n\n  {DASHBOARD}  \n{CHART}", (parse_urn(CHART), parse_urn(DASHBOARD))),
        (parse.variables, "A=1", {"A": "1"}),
        (parse.variables, " A = 1 = 2 \n\nB_1=\n", {"A": "1 = 2", "B_1": ""}),
        (parse.variables, "A=x\nA=x", {"A": "x"}),
        (parse.headers, "\n X-A :  1 \n\nX-B: two words\n", {"X-A": "1", "X-B": "two words"}),
        (parse.matrix, "null", ""),
        (parse.matrix, "{}", ""),
        (parse.matrix, '{"b": 1, "a": [2]}', '{"a":[2],"b":1}'),
        (parse.report_files, "json=out/a.json", (ReportFile("json", "out/a.json"),)),
        (parse.report_files, "junit = b=c\nmarkdown=-", (ReportFile("junit", "b=c"), ReportFile("markdown", "-"))),
        (parse.reason, " backfill\n DATA-123 ", "backfill DATA-123"),
        *((parse.reason, unseen, "") for unseen in (" ", "\u200b\u2060", "\u3164\u2800", "\u202e\ufeff", "\U000e0fff")),
        (options.INCIDENT_TITLE.parse, "x" * 500, "x" * 500),
        (options.INCIDENT_MESSAGE.parse, "x" * 20_000, "x" * 20_000),
    ],
)
def test_value_is_read(parser: Parser, text: str, value: object) -> None:
    assert parser(text, "option") == value


@pytest.mark.parametrize(
    ("parser", "text"),
    [
        (parse.service_url, "https://hooks.slack.com/services/T/B/x"),
        (parse.service_url, "http://localhost:8080/x"),
        (parse.service_url, "http://127.0.0.1:1/"),
        (parse.service_url, "http://[::1]:1/"),
        (parse.webhook_secret, encoded(24)),
        (parse.webhook_secret, encoded(64)),
        (parse.webhook_secret, encoded(25).rstrip("=")),
        *((parser, "") for parser in (parse.service_url, parse.webhook_secret, parse.matrix, parse.secret)),
    ],
)
def test_value_is_read_as_it_is(parser: Parser, text: str) -> None:
    assert parser(text, "option") == text


@pytest.mark.parametrize(
    ("parser", "text", "message"),
    [
        *((parse.duration, text, f"is {text!r}.") for text in ("", "-1", "1w", "m", "1h30m", "nan", "inf", "1e3")),
        *((parse.duration, text, "Use a number with a unit, like 90s, 30m or 2h.") for text in ("٣", "1 2")),
        (parse.interval, "0s", "is '0s'. Use more than zero"),
        *((timeout, text, f"is {text!r}. Use up to 6h.") for text in ("21601", "361m")),
        *((count, text, "Use a whole number from 0 to 3.") for text in ("4", "-1", "1.0", "x", "", "1" * 5000, "٣")),
        *((parse.flag, text, "Use true or false.") for text in ("yes", "1", "on", "tRue")),
        # An incident is never ignored for a whole run: only an entry can do that.
        (options.ON_INCIDENT.parse, "ignore", "is 'ignore'. Use block or warn."),
        (options.ON_UNKNOWN.parse, "ignore", "Use block or warn."),
        (options.ON_FAILING_ASSERTION.parse, "fail", "Use ignore, warn or block."),
        (options.NOTIFY_ON.parse, "raised, kept", "has 'kept'. Use any of: raised, resolved, blocked."),
        (options.TYPES.parse, "SQL, freshnes", "has 'freshnes'. Did you mean FRESHNESS?"),
        (parse.urns, f"{CHART}\norders\nurn:li:x:y", 'option, URN 2: "orders" is not a URN; a URN looks like urn:li:'),
        (parse.urns, f"{CHART}\norders\nurn:li:x:y", 'option, URN 3: "x" is not a type of asset'),
        *((parse.variables, text, f"has {text!r}.") for text in ("A", "=1", "1A=x", "A-B=1", "${A}=1")),
        (parse.variables, "A=1\nA=2", "sets A twice, to different values."),
        *((parse.matrix, text, "Use a JSON object") for text in ("eu", "'{}'", "{", '"eu"', "[1]", "3", "{" * 100_000)),
        *((parse.report_files, text, f"has {text!r}.") for text in ("json", "json=", "xml=a", "=a", "JSON=a")),
        (parse.report_files, "json=a\njunit=a", "names 'a' twice."),
        (parse.report_files, "json=a\njunit=./b/../a", "names 'a' twice."),
        (parse.headers, "no colon", "option, line 1: this is not a header."),
        (parse.headers, "X: 1\n: 2", "option, line 2: this is not a header."),
        (parse.headers, "a b: 1", "this is not a header."),
        (parse.headers, "HOST: x", "HOST is set by the request itself."),
        (parse.headers, "X: a\x00b", "has a character that no header can carry."),
        (parse.headers, "X: ä", "has a character that no header can carry."),
        (options.INCIDENT_TITLE.parse, "x" * 501, "has 501 characters. The limit is 500."),
        (options.INCIDENT_MESSAGE.parse, "x" * 20_001, "has 20,001 characters. The limit is 20,000."),
    ],
)
def test_error_names_the_option_and_what_to_do(parser: Parser, text: str, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        parser(text, "option")
    assert str(caught.value).startswith("option")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        *("Accept-Encoding", "Authorization", "Connection", "Content-Length", "Content-Type", "Host", "TE", "Trailer"),
        *("Transfer-Encoding", "Upgrade"),
    ],
)
def test_no_header_changes_the_request_itself(name: str) -> None:
    with pytest.raises(SettingError, match=f"headers, line 1: {name} is set by the request itself"):
        parse.headers(f"{name}: x", "headers")


@pytest.mark.parametrize(
    ("parser", "text", "message"),
    [
        *((parse.secret, text, "has a character that no token has") for text in ("a b", "a\nb", "tökén", "a\x7f")),
        (parse.service_url, "http://hooks.slack.com/s3cr3t", "is not an https address"),
        (parse.service_url, "http://localhost.evil.com/s3cr3t", "is not an https address"),
        (parse.service_url, "http://127.0.0.1@evil.com/s3cr3t", "is not an https address"),
        (parse.service_url, "s3cr3t", "is not an https address"),
        (parse.service_url, "https://", "is not an https address"),
        (parse.service_url, "https://a b/s3cr3t", "is not an https address"),
        (parse.service_url, "ftp://localhost/s3cr3t", "is not an https address"),
        (parse.service_url, "https://[s3cr3t", "is not a URL"),
        (parse.webhook_secret, "abc", "is not a signing secret"),
        (parse.webhook_secret, encoded(24)[6:], "is not a signing secret"),
        (parse.webhook_secret, encoded(23), "is not a signing secret"),
        (parse.webhook_secret, encoded(65), "is not a signing secret"),
        (parse.webhook_secret, "whsec_*", "is not a signing secret"),
    ],
)
def test_secret_that_is_refused_is_not_quoted(parser: Parser, text: str, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        parser(text, "it")
    assert caught.value.message.startswith(f"it {message}")
    for part in ("s3cr3t", text):
        assert part not in f"{caught.value!r}{caught.value}"


@given(st.text(max_size=200))
def test_no_text_breaks_a_parser(text: str) -> None:
    for option in options.OPTIONS.values():
        try:
            option.parse(text, "option")
        except SettingError as refused:
            assert str(refused)  # noqa: PT017 - any text may be fine or refused
