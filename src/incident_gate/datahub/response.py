"""Telling a GraphQL answer from everything else that comes back with HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from incident_gate.datahub.failure import Answer, GraphqlError, Rejection, RequestFailure, TransientFailure
from incident_gate.errors import RefusedError

Blank = Callable[[str], str]

# Seconds for which a broken connection or a garbled answer is tried again: a restart behind a load balancer takes that
# long, and a wrong address should not cost a user the whole timeout.
CONNECTION_PATIENCE = 30.0
# Seconds for which an answer that is there except for some assets is asked for again, before it is taken as it is.
PARTIAL_PATIENCE = 10.0

_WHO_HINT = "Check datahub-token: a personal access token that has not expired (DataHub: Settings > Access Tokens)."
_NOBODY_HINT = (
    "Set datahub-token or DATAHUB_GMS_TOKEN. On GitHub, pull requests from forks and Dependabot's see none of the "
    "repository's secrets."
)
_ADDRESS_HINT = (
    "Check datahub-url: it must reach DataHub's GraphQL API itself, not a login page. "
    "An access proxy in front of it may need `headers`."
)

# graphql-java, which DataHub uses, classifies; other engines and proxies in between are known by their words.
_INVALID = re.compile(
    r"^validation error|is undefined\b|cannot query field|unknown (type|argument|field)|no value found for name"
    r"|is not defined by type",
    re.IGNORECASE,
)
_INVALID_CLASSES = {"ValidationError", "InvalidSyntax"}
_COSTLY = re.compile(r"maximum query (complexity|depth) exceeded|too many tokens", re.IGNORECASE)
# DataHub's SERVICE_UNAVAILABLE and DEADLINE_EXCEEDED: they come with HTTP 200 and may be asked again.
_BUSY_CODES = {503, 504}


# What people read of an answer; URNs and the like are compared with what was asked, and stay as they are.
_FREE_TEXT = ("title", "description")


def read_response(  # noqa: PLR0913 - all but the first three are named
    status: int,
    headers: Mapping[str, str],
    body: bytes | bytearray,
    *,
    url: str,
    anonymous: bool,
    secrets: Sequence[str] = (),
) -> Answer:
    """Take an HTTP response for what it is.

    Args:
        status: Of HTTP.
        headers: By lower-case name.
        body: Whole.
        url: That was asked.
        anonymous: Whether it was asked without a token.
        secrets: What was sent along and is blanked in every text that people read.

    Raises:
        TransientFailure: Busy, or garbled on its way.
        RequestFailure: GraphQL errors without data, or a status that blames the request.
        RefusedError: Not DataHub, or DataHub that refuses us.
    """
    host = urlsplit(url).netloc
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
        # Never followed: the token would go along.
        target = _host_of(headers.get("location", "")) or host
        raise RefusedError(f"{host} redirects to {target} instead of answering (HTTP {status}).", hint=_ADDRESS_HINT)
    if status == 429:  # noqa: PLR2004 - too many requests
        raise TransientFailure(
            f"{host} limits the rate of requests (HTTP 429)", may_have_executed=False, retry_after=_retry_after(headers)
        )
    if status in {502, 503, 504}:
        raise TransientFailure(
            f"{host} answers HTTP {status}",
            may_have_executed=True,
            retry_after=_retry_after(headers),
            slow=status == 504,  # noqa: PLR2004 - gateway timeout
        )
    if anonymous and status in {401, 403}:
        raise RefusedError(f"{host} wants a token, and this run has none (HTTP {status}).", hint=_NOBODY_HINT)
    if status == 401:  # noqa: PLR2004 - unauthorized
        raise RefusedError(f"{host} does not accept the token (HTTP 401).", hint=_WHO_HINT)
    if status in {403, 407}:
        raise RefusedError(f"{host} forbids the request (HTTP {status}).", hint=_WHO_HINT)
    if status in {404, 405, 410}:
        raise RefusedError(f"{host} has no GraphQL API at {urlsplit(url).path} (HTTP {status}).", hint=_ADDRESS_HINT)

    def blank(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***")
        return text

    parsed = _parse(status, headers, body, host, blank)
    return _graphql(parsed, status, host, blank)


def _parse(status: int, headers: Mapping[str, str], body: bytes | bytearray, host: str, blank: Blank) -> dict[str, Any]:
    def blanked(value: dict[str, Any]) -> dict[str, Any]:
        for name in _FREE_TEXT:
            if isinstance(text := value.get(name), str):
                value[name] = blank(text)
        return value

    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    whole = True
    value = None
    try:
        value = json.loads(body, object_hook=blanked)
    except (ValueError, RecursionError):
        whole = False
    if isinstance(value, dict) and ("data" in value or isinstance(value.get("errors"), list)):
        return value
    if status >= 500 or status in {400, 413, 422}:  # noqa: PLR2004 - the class of server errors
        raise RequestFailure(f"{host} answers HTTP {status}", status=status)
    if not whole and "json" in kind:
        raise TransientFailure(
            f"{host} sends JSON that breaks off",
            may_have_executed=True,
            patience=CONNECTION_PATIENCE,
            ends_as=RefusedError,
        )
    what = "a web page" if "html" in kind or body.lstrip()[:1] == b"<" else "something that is not GraphQL"
    raise RefusedError(f"{host} answers with {what} (HTTP {status}).", hint=_ADDRESS_HINT)


def _graphql(value: dict[str, Any], status: int, host: str, blank: Blank) -> Answer:
    raw = value.get("errors")
    errors = tuple(_error(e, blank) for e in raw) if isinstance(raw, list) else ()
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
    # What fails while it is executed has a path. What the server refuses before has none, and no data either.
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
        if any(_COSTLY.search(error.message) for error in errors):
            rejection = Rejection.COSTLY
        elif any(e.classification in _INVALID_CLASSES or _INVALID.search(e.message) for e in errors):
            rejection = Rejection.INVALID
        else:
            rejection = Rejection.POSSIBLE
    return RequestFailure(str(errors[0]), errors=errors, rejection=rejection, status=status)


def _error(value: object, blank: Blank) -> GraphqlError:
    if not isinstance(value, dict):
        return GraphqlError(blank(str(value))[:500])
    extensions = value.get("extensions")
    extensions = extensions if isinstance(extensions, dict) else {}
    code = extensions.get("code")
    path = value.get("path")
    # A path that cannot be followed to its end leads nowhere.
    followed = isinstance(path, list) and all(isinstance(p, str | int) and not isinstance(p, bool) for p in path)
    return GraphqlError(
        blank(str(value.get("message") or "an error without a message"))[:1000],
        tuple(path) if isinstance(path, list) and followed else (),
        code if isinstance(code, int) and not isinstance(code, bool) else None,
        str(extensions.get("classification") or value.get("classification") or ""),
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()) if text else None
    except (ValueError, TypeError, OverflowError):
        return None


def _host_of(url: str) -> str:
    """The host in an address that somebody else wrote, without credentials; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
