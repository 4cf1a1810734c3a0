"""Separates GraphQL answers from everything else that comes back with HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from incident_gate.datahub.failure import Answer, GraphqlError, Rejection, RequestFailure, TransientFailure
from incident_gate.errors import Hint, RefusedError, TokenMissingError
from incident_gate.json_values import at, whole
from incident_gate.text import NO_SECRETS, Redactor

# Seconds for which a broken connection or a garbled answer is tried again: a restart behind a load balancer takes that
# long, and a wrong address should not cost a user the whole timeout.
CONNECTION_PATIENCE = 30.0
# Seconds for which an answer that is there except for some assets is asked for again, before it is taken as it is.
PARTIAL_PATIENCE = 10.0

_TOKEN_HINT = Hint(
    "Check {datahub-token}: a personal access token that has not expired (DataHub: Settings > Access Tokens)."
)
_ADDRESS_HINT = Hint(
    "Check {datahub-url}: it must reach DataHub's GraphQL API itself, not a login page. "
    "An access proxy in front of it may need `{headers}`."
)
_RATE_HINT = Hint("Let fewer gates run at the same time, or raise `{timeout}`, in seconds.")
# Of a gateway whose server does not answer; those from 520 on are Cloudflare's.
_TIMED_OUT = {504, 522, 524}
_NO_ANSWER = {502, 503, *_TIMED_OUT, *range(520, 528), 530}
# Headers of access proxies' own refusals: Cloudflare Access and Google's Identity-Aware Proxy.
_PROXY_HEADERS = ("cf-access-domain", "cf-access-aud", "cf-mitigated", "x-goog-iap-generated-response")
_NO_API = {404, 405, 410, 411, 415, 426, 501}

_INVALID_CLASSES = {"ValidationError", "InvalidSyntax"}
# graphql-java's words for the same, where a proxy or an old version drops the classification.
_INVALID = r"(?i)^(validation error|invalid syntax)\b|^variable '\w+' has an invalid value"
_COSTLY = r"(?i)maximum query (complexity|depth) exceeded|more than \d+ .*tokens"
# DataHub's SERVICE_UNAVAILABLE and DEADLINE_EXCEEDED: they come with HTTP 200 and may be asked again.
_BUSY_CODES = {503, 504}

_LONGEST_LABEL = 63
# Outside of strings, each of these characters begins a value.
_VALUE_OR_STRING = rb'(?s)"(?:[^"\\]++|\\.)*+(?:"|\Z)|[{\[,]'


class Received(NamedTuple):
    """An HTTP response, read to its end; `headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray


def size_limit(assets: int) -> int:
    """The bytes of an answer about that many assets; more is refused. A hundred incidents of an asset take 50 kB."""
    return (8 << 20) + (16 << 10) * assets


def value_limit(assets: int) -> int:
    """The values in an answer about that many assets; more would take too much memory. Whole schemas have 150,000."""
    return 60_000 + 700 * assets if assets else 500_000


def read_response(
    received: Received, *, url: str, anonymous: bool, redact: Redactor = NO_SECRETS, assets: int = 1
) -> Answer:
    """Read an HTTP response as what it is."""
    status, headers = received.status, received.headers
    host = urlsplit(url).netloc
    wait = retry_after(headers)
    asked = f" and asks to wait {wait:,.0f} s" if wait else ""
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
        raise _redirect(url, received, redact)
    if status == 429:  # noqa: PLR2004 - too many requests
        raise TransientFailure(
            f"{host} limits the rate of requests (HTTP 429){asked}",
            may_have_executed=False,
            retry_after=wait,
            hint=_RATE_HINT,
        )
    if status in _NO_ANSWER:
        raise TransientFailure(
            f"{host} answers HTTP {status}{asked}",
            may_have_executed=True,
            retry_after=wait,
            slow=status in _TIMED_OUT,
        )
    if status in {401, 403} and _is_from_proxy(received):
        raise RefusedError(
            f"A proxy before {host} refuses the request, so it did not reach DataHub (HTTP {status}).",
            hint=Hint("Give what the proxy requires in `{headers}`. Another DataHub token does not help."),
        )
    if anonymous and status in {401, 403}:
        raise TokenMissingError(
            f"{host} requires a token, but none was provided (HTTP {status}).",
            hint=Hint("Set {datahub-token|DATAHUB_GMS_TOKEN}."),
        )
    no_api = (f"{host} has no GraphQL API at {urlsplit(url).path}", _ADDRESS_HINT)
    refusals: dict[int, tuple[str, str]] = {
        401: ("DataHub rejected the token", _TOKEN_HINT),
        403: (f"{host} forbids the request", _TOKEN_HINT),
        407: (f"The proxy before {host} requires credentials", "Check HTTPS_PROXY of this runner."),
        **dict.fromkeys(_NO_API, no_api),
    }
    if status in refusals:
        message, hint = refusals[status]
        raise RefusedError(f"{message} (HTTP {status}).", hint=hint)
    return _graphql(_parse(received, host, assets), status, host, redact)


def _is_from_proxy(received: Received) -> bool:
    """Whether a refusal is a proxy's own: the web page of DataHub's has the words of its servlet container."""
    headers = received.headers
    return (
        any(name in headers for name in _PROXY_HEADERS)
        or "cloudflare-access" in headers.get("www-authenticate", "").lower()
        or (_is_web_page(received) and b"HTTP ERROR" not in received.body)
    )


def _is_web_page(received: Received) -> bool:
    return "html" in received.headers.get("content-type", "").lower() or received.body[:64].lstrip()[:1] == b"<"


def _parse(received: Received, host: str, assets: int) -> dict[str, Any]:
    status, body = received.status, received.body
    encoding = received.headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity"}:
        raise RefusedError(
            f"{host} sends an encoded answer, although only plain ones are accepted (HTTP {status}).",
            hint="Check whether a proxy before DataHub compresses answers and ignores Accept-Encoding.",
        )
    if _has_more_values(body, value_limit(assets)):
        raise RequestFailure(f"{host} sends more than {value_limit(assets):,} values in one answer", status=413)
    value, breaks_off = None, False
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        breaks_off = True
    if isinstance(value, dict) and ("data" in value or isinstance(value.get("errors"), list)):
        return value
    if status >= 500 or status in {400, 413, 422}:  # noqa: PLR2004 - the class of server errors
        raise RequestFailure(f"{host} answers HTTP {status}", status=status)
    kind = received.headers.get("content-type", "").partition(";")[0].strip().lower()
    if breaks_off and "json" in kind:
        raise TransientFailure(
            f"{host} sends JSON that breaks off",
            may_have_executed=True,
            patience=CONNECTION_PATIENCE,
            ends_as=RefusedError,
            hint=_ADDRESS_HINT,
        )
    what = "a web page" if _is_web_page(received) else "something that is not GraphQL"
    raise RefusedError(f"{host} answers with {what} (HTTP {status}).", hint=_ADDRESS_HINT)


def _has_more_values(body: bytes | bytearray, most: int) -> bool:
    """Whether JSON text holds more values, counted before any of them becomes an object."""
    if body.count(b",") + body.count(b"{") + body.count(b"[") <= most:
        return False
    # Some of these may be inside strings: count again, without them.
    counted = 0
    for match in re.finditer(_VALUE_OR_STRING, body):
        if match[0][:1] != b'"':
            counted += 1
            if counted > most:
                return True
    return False


def _graphql(value: dict[str, Any], status: int, host: str, redact: Redactor) -> Answer:
    raw = value.get("errors")
    errors = tuple(_error(error, redact) for error in raw) if isinstance(raw, list) else ()
    data = value.get("data")
    if raw is not None and not isinstance(raw, list):
        raise RefusedError(f"{host} answers with something that is not GraphQL.", hint=_ADDRESS_HINT)
    if busy := [error for error in errors if error.code in _BUSY_CODES]:
        partial = isinstance(data, dict) and any(value is not None for value in data.values())
        raise TransientFailure(
            f"{host} is busy: {busy[0]}",
            may_have_executed=True,
            patience=PARTIAL_PATIENCE if partial else None,
            slow=any(error.code == 504 for error in busy),  # noqa: PLR2004
            answer=Answer(data, errors) if isinstance(data, dict) and partial else None,
        )
    # An error of the execution has a path. A request that is refused before has errors without one, and no data.
    unexecuted = bool(errors) and not any(error.path for error in errors)
    if not isinstance(data, dict) or (unexecuted and all(value is None for value in data.values())):
        raise _refused(errors, unexecuted=unexecuted, status=status, host=host)
    if status >= 400 and not errors:  # noqa: PLR2004 - the class of errors
        raise RequestFailure(f"{host} answers HTTP {status}", status=status)
    return Answer(data, errors)


def _refused(errors: tuple[GraphqlError, ...], *, unexecuted: bool, status: int, host: str) -> RequestFailure:
    if not errors:
        return RequestFailure(f"{host} answers without data (HTTP {status})", status=status)
    rejection = Rejection.NONE
    if unexecuted and {error.code for error in errors} <= {None, 400}:
        if any(re.search(_COSTLY, error.message) for error in errors):
            rejection = Rejection.COSTLY
        elif any(e.classification in _INVALID_CLASSES or re.search(_INVALID, e.message) for e in errors):
            rejection = Rejection.INVALID
    return RequestFailure(str(errors[0]), errors=errors, rejection=rejection, status=status)


def _error(value: object, redact: Redactor) -> GraphqlError:
    if not isinstance(value, dict):
        return GraphqlError(redact(str(value))[:500])
    path = value.get("path")
    # A path that cannot be followed to its end leads nowhere.
    followed = isinstance(path, list) and all(isinstance(p, str | int) and not isinstance(p, bool) for p in path)
    return GraphqlError(
        redact(str(value.get("message") or "an error without a message"))[:1000],
        tuple(path) if isinstance(path, list) and followed else (),
        whole(value, "extensions", "code"),
        str(at(value, "extensions", "classification") or value.get("classification") or ""),
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to wait."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()) if text else None
    except (ValueError, TypeError, OverflowError):
        return None


def _redirect(url: str, received: Received, redact: Redactor) -> RefusedError:
    # Never followed: the token would go along.
    origin = urlsplit(url)
    target = _target(url, received.headers.get("location", ""), redact)
    to_tls = target is not None and (origin.scheme, target.scheme) == ("http", "https")
    same = target is not None and target.hostname == origin.hostname
    return RefusedError(
        f"{_shown(origin)} redirects to {_shown(target) if target else 'an invalid address'} instead of answering "
        f"(HTTP {received.status}).",
        hint=Hint("Use https in {datahub-url}.") if to_tls and same else _ADDRESS_HINT,
    )


def _target(url: str, location: str, redact: Redactor) -> SplitResult | None:
    """Where a redirect leads; None for an address that cannot be shown."""
    try:
        parts = urlsplit(urljoin(url, location))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    is_valid = parts.scheme in {"http", "https"} and re.fullmatch(r"[\w.:-]+", host) and port != 0 and location
    if not is_valid or max(map(len, host.split("."))) > _LONGEST_LABEL or redact.is_in_host(host):
        return None
    return parts


def _shown(parts: SplitResult) -> str:
    """Scheme, host and port: never credentials, a path or a query."""
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{parts.port}' if parts.port else ''}"
