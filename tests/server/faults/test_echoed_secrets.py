"""Servers that send back what they were sent, in every part of a response: no report shows a secret."""

import html
import json
import re
import socket

import pytest

from incident_gate.action.runner import commands
from incident_gate.report import json as json_report
from incident_gate.report import summary, terminal
from incident_gate.report.annotations import annotate
from incident_gate.report.model import Report
from tests.helpers.asking import ORDERS
from tests.helpers.gating import check
from tests.helpers.loopback import answer_all, listening

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJhY3RvciI6ImdhdGUifQ.c2lnbmF0dXJl"
HEADER = "hunter2-hunter2"
JSON = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
ECHO = f"Bearer {TOKEN} and {HEADER}"
LONG = "x" * (2_000 - len(TOKEN) // 2)


def incident(**fields: object) -> str:
    """A healthy answer but for one incident with these fields."""
    listed = {"urn": "urn:li:incident:1", "status": {"state": "ACTIVE"}, **fields}
    element = {
        "urn": ORDERS,
        "exists": True,
        "status": None,
        "siblings": None,
        "incidents": {"total": 1, "incidents": [listed]},
    }
    return JSON + json.dumps({"data": {"entities": [element]}})


def error(message: object, **more: object) -> str:
    return JSON + json.dumps({"data": None, "errors": [{"message": message, **more}]})


RESPONSES = {
    "malformed header": f"HTTP/1.1 200 OK\r\nAuthorization : {ECHO}\r\n\r\n",
    "header without a colon": f"HTTP/1.1 200 OK\r\n{ECHO}\r\n\r\n",
    "status line": f"HTTP/1.1 {ECHO}\r\n\r\n",
    "reason phrase": f"HTTP/1.1 500 {ECHO}\r\nContent-Length: 0\r\n\r\n",
    "no http": ECHO,
    "content length": f"HTTP/1.1 200 OK\r\nContent-Length: {ECHO}\r\n\r\n",
    "transfer encoding": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {ECHO}\r\n\r\n",
    "content encoding": f"HTTP/1.1 200 OK\r\nContent-Encoding: {TOKEN}\r\nContent-Length: 0\r\n\r\n",
    "content type": f"HTTP/1.1 200 OK\r\nContent-Type: {TOKEN}\r\nContent-Length: 2\r\n\r\n{{}}",
    "retry after": f"HTTP/1.1 429 Slow\r\nRetry-After: {ECHO}\r\nContent-Length: 0\r\n\r\n",
    "chunk": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{TOKEN}\r\n",
    "page": f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<p>{ECHO}</p>",
    "error": error(ECHO),
    "error of the asset": error(ECHO, path=["entities", 0]),
    "error as text": JSON + json.dumps({"errors": [ECHO]}),
    "error at the cut": error("x" * (1_000 - len(TOKEN) // 2) + TOKEN),
    "classification": error("no", extensions={"classification": TOKEN}),
    "title": incident(title=ECHO),
    "title at the cut": incident(title=LONG + TOKEN),
    "description": incident(description=ECHO),
    "description at the cut": incident(description=LONG + TOKEN),
    "type": incident(incidentType=ECHO),
    "custom type": incident(incidentType="CUSTOM", customType=ECHO),
    "incident urn": incident(urn=f"urn:li:incident:{TOKEN}"),
    "message": incident(status={"state": "ACTIVE", "message": ECHO, "stage": ECHO}),
    "redirect path": f"HTTP/1.1 302 Found\r\nLocation: https://sso.example.com/{TOKEN}?q={HEADER}\r\n\r\n",
    "redirect credentials": f"HTTP/1.1 302 Found\r\nLocation: https://{TOKEN}@sso.example.com/\r\n\r\n",
    "redirect host": f"HTTP/1.1 302 Found\r\nLocation: https://{HEADER}.example.com/\r\n\r\n",
    "redirect host in capitals": f"HTTP/1.1 302 Found\r\nLocation: https://{HEADER.upper()}.example.com/\r\n\r\n",
    "redirect host without dots": f"HTTP/1.1 302 Found\r\nLocation: https://{TOKEN.replace('.', '-')}.test/\r\n\r\n",
    "redirect scheme": f"HTTP/1.1 302 Found\r\nLocation: {HEADER}://sso.example.com/\r\n\r\n",
}


def shown(result: Report) -> str:
    """Everything that any report of a run shows, with entities and joiners undone."""
    report = result
    texts = [
        terminal.terminal(report),
        summary.summary(report, summary.LIMIT),
        json_report.document(report),
        json.dumps(json_report.outputs(report)),
        *commands(annotate(report)),
        str(result.failure),
    ]
    plain = html.unescape("\n".join(texts)).replace("\u2060", "").replace("\\u2060", "")
    return re.sub(r"</?span>", "", plain)


@pytest.mark.parametrize("name", RESPONSES)
def test_no_report_shows_what_a_server_echoes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incident_gate.datahub.transport.CONNECTION_PATIENCE", 0.3)

    def serve(client: socket.socket) -> None:
        answer_all(client, RESPONSES[name].encode())

    request_logs: list[object] = []
    with listening(serve) as port:
        result = check(
            f"http://127.0.0.1:{port}",
            ORDERS,
            datahub_token=TOKEN,
            headers=f"X-Api-Key: {HEADER}",
            timeout="1",
            on_request=request_logs.append,
        )

    text = (shown(result) + str(request_logs)).lower()
    for secret in (TOKEN, HEADER):
        # Neither whole, nor any part that is worth something.
        for start in range(0, len(secret) - 11, 4):
            assert secret[start : start + 12].lower() not in text
    assert TOKEN.replace(".", "-").lower() not in text
