import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from incident_gate.datahub.failure import Rejection, RequestFailure, TransientFailure
from incident_gate.datahub.response import Received, read_response
from incident_gate.errors import RefusedError
from incident_gate.text import Redactor

URL = "https://datahub.test/api/graphql"
JSON = {"content-type": "application/json"}


def retry_after(value: str) -> float | None:
    with pytest.raises(TransientFailure) as caught:
        read_response(Received(429, {"retry-after": value}, b""), url=URL, anonymous=False)
    return caught.value.retry_after


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ("60", 60.0),
        (" 1.5 ", 1.5),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("9999999999999", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00", None),
        ("Wed, 99 Oct 99999 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 +99999999999999", None),
    ],
)
def test_retry_after_of_any_shape_is_seconds_or_nothing(sent: str, seconds: float | None) -> None:
    assert retry_after(sent) == seconds


def test_retry_after_as_a_date_is_seconds_from_now() -> None:
    seconds = retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))

    assert seconds is not None
    assert 28 < seconds <= 30


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"data": {"entities": [', b"\xff\xfe{", b"[" * 50_000, b'{"total": ' + b"9" * 5_000 + b"}"]
)
def test_json_that_is_none_may_have_been_cut_on_its_way(body: bytes) -> None:
    with pytest.raises(TransientFailure, match="sends JSON that breaks off"):
        read_response(Received(200, JSON, body), url=URL, anonymous=False)


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b"5", b'"data"', b"{}", b'{"errors": "x"}', b'{"data": {}, "errors": {}}']
)
def test_json_that_is_not_graphql_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError, match="something that is not GraphQL"):
        read_response(Received(200, JSON, body), url=URL, anonymous=False)


UNDEFINED = "Validation error (FieldUndefined@[a/exists]) : Field 'exists' in type 'Dataset' is undefined"


@pytest.mark.parametrize(
    ("error", "rejection"),
    [
        ({"message": UNDEFINED}, Rejection.INVALID),
        ({"message": UNDEFINED, "extensions": {"code": 400}}, Rejection.INVALID),
        ({"message": "no", "extensions": {"classification": "ValidationError"}}, Rejection.INVALID),
        ({"message": 'Cannot query field "exists" on type "Dataset".'}, Rejection.NONE),
        ({"message": "Variable 'type' has an invalid value: No value found for name 'SLA'"}, Rejection.INVALID),
        ({"message": "Parsing Cancelled: More than 15000 'grammar' tokens have been presented"}, Rejection.COSTLY),
        ({"message": "maximum query complexity exceeded 2431 > 2000"}, Rejection.COSTLY),
        ({"message": "maximum query depth exceeded 51 > 50"}, Rejection.COSTLY),
        ({"message": "Bad Request"}, Rejection.NONE),
        ({"message": "platform is undefined"}, Rejection.NONE),
        # What was executed and failed says nothing of the schema, whatever its words are.
        ({"message": UNDEFINED, "path": ["a0", "siblings"]}, Rejection.NONE),
        ({"message": UNDEFINED, "extensions": {"code": 500}}, Rejection.NONE),
        ({"message": "The server is out of order", "path": ["entities"]}, Rejection.NONE),
    ],
)
@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": {}}, {"data": {"entities": None}}])
def test_refusal_of_a_document_is_told_from_other_errors(
    error: dict[str, object], rejection: Rejection, data: dict[str, object]
) -> None:
    if "path" in error and data.get("data") is not None:
        data = {"data": None}
    body = json.dumps({"errors": [error], **data}).encode()
    with pytest.raises(RequestFailure) as caught:
        read_response(Received(200, JSON, body), url=URL, anonymous=False)

    assert caught.value.rejection is rejection


@pytest.mark.parametrize(("extensions", "rejection"), [({}, Rejection.INVALID), ({"code": 500}, Rejection.NONE)])
def test_refusal_of_a_document_beside_another_error(extensions: dict[str, object], rejection: Rejection) -> None:
    body = json.dumps({"errors": [{"message": "no", "extensions": extensions}, {"message": UNDEFINED}]}).encode()
    with pytest.raises(RequestFailure) as caught:
        read_response(Received(200, JSON, body), url=URL, anonymous=False)

    assert caught.value.rejection is rejection


@pytest.mark.parametrize("anonymous", [True, False])
def test_proxy_that_requires_credentials_is_named(*, anonymous: bool) -> None:
    with pytest.raises(RefusedError, match=r"proxy.*credentials.*407") as caught:
        read_response(Received(407, {"content-type": "text/plain"}, b"no"), url=URL, anonymous=anonymous)

    assert "HTTPS_PROXY" in str(caught.value.hint)


@pytest.mark.parametrize("status", [400, 409, 418, 500])
def test_error_status_is_no_answer_even_with_healthy_data(status: int) -> None:
    with pytest.raises(RequestFailure, match=f"HTTP {status}"):
        read_response(Received(status, JSON, b'{"data": {"entities": []}}'), url=URL, anonymous=False)


@pytest.mark.parametrize(
    "answer",
    [
        rb'{"errors": [{"message": "no c2VjcmV0LXRva2VuMQ\u003d\u003d"}]}',
        rb'{"errors": ["no c2VjcmV0LXRva2VuMQ=="]}',
        rb'{"errors": [{"message": {"no": "c2VjcmV0LXRva2VuMQ=="}}]}',
    ],
)
def test_secret_in_an_error_is_blanked_however_it_is_written(answer: bytes) -> None:
    with pytest.raises(RequestFailure, match=r"no.*\*\*\*") as caught:
        read_response(Received(200, JSON, answer), url=URL, anonymous=False, redact=Redactor(("c2VjcmV0LXRva2VuMQ==",)))

    assert "c2Vj" not in str(caught.value)
    assert "c2Vj" not in str(caught.value.errors[0])


def test_redirect_tells_the_host_and_neither_credentials_nor_query() -> None:
    location = "https://ana:hidden@login.example.com/?token=hidden"

    with pytest.raises(RefusedError) as caught:
        read_response(Received(302, {"location": location}, b""), url=URL, anonymous=False)

    assert "https://datahub.test redirects to https://login.example.com instead of answering (HTTP 302)" in str(
        caught.value
    )
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "text/html"}, b"Forbidden"),
        ({}, b"  <!doctype html>"),
        ({**JSON, "x-goog-iap-generated-response": "true"}, b"{}"),
        ({**JSON, "www-authenticate": "Cloudflare-Access resource_metadata=x"}, b"{}"),
        ({"cf-access-domain": "acme.cloudflareaccess.com"}, b""),
    ],
)
def test_refusal_of_a_proxy_is_told_from_datahubs(status: int, headers: dict[str, str], body: bytes) -> None:
    for anonymous in (True, False):
        with pytest.raises(RefusedError, match=r"^A proxy before") as caught:
            read_response(Received(status, headers, body), url=URL, anonymous=anonymous)
        assert "headers" in str(caught.value.hint)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({**JSON, "server": "cloudflare", "cf-ray": "x"}, b"{}"),
        ({"content-type": "text/html"}, b"<html><body><h2>HTTP ERROR 401 Unauthorized to perform this action.</h2>"),
    ],
)
def test_refusal_of_datahub_is_its_own(status: int, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        read_response(Received(status, headers, body), url=URL, anonymous=False)
    assert "proxy" not in caught.value.message


@pytest.mark.parametrize("status", [502, 503, 504, *range(520, 528), 530])
def test_server_behind_a_gateway_that_does_not_answer_is_asked_again(status: int) -> None:
    with pytest.raises(TransientFailure, match=f"answers HTTP {status}"):
        read_response(Received(status, {"content-type": "text/html"}, b"<html>"), url=URL, anonymous=False)


def test_encoded_answer_is_refused() -> None:
    with pytest.raises(RefusedError, match="sends an encoded answer"):
        read_response(Received(200, {**JSON, "content-encoding": "gzip"}, b"{}"), url=URL, anonymous=False)
