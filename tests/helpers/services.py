"""Stand-ins for the services that the gate notifies: they refuse what the real ones refuse."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

OPENAPI = json.loads((Path(__file__).parents[1] / "fixtures/github/comments.openapi.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a stand-in answers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> Reply:
        """A JSON answer."""
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


@contextlib.contextmanager
def serving(answer: Callable[[Received], Reply]) -> Iterator[str]:
    """Serve on loopback; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = answer(Received(self.command, self.path, headers, self.rfile.read(length)))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass(slots=True)
class SlackStandIn:
    """Slack's incoming webhooks and Web API, with its limits.

    `members` are Slack ids by e-mail address. `first` are replies that come before any other.
    """

    token: str = "xoxb-123456789-secret"
    webhook_path: str = "/services/T0000/B0000/secretpart"
    members: dict[str, str] = field(default_factory=dict)
    first: list[Reply] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: Received) -> Reply:
        """Answer as Slack does."""
        self.requests.append(request)
        if self.first:
            return self.first.pop(0)
        path = urlsplit(request.path).path
        return self._web_api(request, path) if path.startswith("/api/") else self._webhook(request, path)

    def _webhook(self, request: Received, path: str) -> Reply:
        if (request.method, path) != ("POST", self.webhook_path):
            return Reply(404, b"no_service")
        if problem := self._problem(request, {"text", "blocks", "unfurl_links"}):
            return Reply(400, problem.encode())
        self.messages.append(request.json)
        return Reply(200, b"ok")

    def _web_api(self, request: Received, path: str) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return Reply.of({"ok": False, "error": "invalid_auth"})
        if (request.method, path) == ("GET", "/api/users.lookupByEmail"):
            [email] = parse_qs(urlsplit(request.path).query)["email"]
            member = self.members.get(email)
            return Reply.of(
                {"ok": True, "user": {"id": member}} if member else {"ok": False, "error": "users_not_found"}
            )
        if (request.method, path) != ("POST", "/api/chat.postMessage"):
            return Reply.of({"ok": False, "error": "unknown_method"})
        problem = self._problem(request, {"channel", "text", "blocks", "unfurl_links"})
        if problem or not request.json.get("channel"):
            return Reply.of({"ok": False, "error": problem or "channel_not_found"})
        self.messages.append(request.json)
        return Reply.of({"ok": True, "ts": "1.2"})

    def _problem(self, request: Received, known: set[str]) -> str:
        try:
            message = request.json
        except ValueError:
            return "invalid_payload"
        if not set(message) <= known or "application/json" not in request.headers.get("content-type", ""):
            return "invalid_payload"
        blocks = message.get("blocks", [])
        if not message.get("text") or not 0 < len(blocks) <= 50:
            return "invalid_blocks"
        return "" if all(self._is_block(block) for block in blocks) else "invalid_blocks"

    @staticmethod
    def _is_block(block: dict[str, Any]) -> bool:
        if block["type"] == "actions":
            [button] = block["elements"]
            label = button["text"]
            is_button = set(block) == {"type", "elements"} and set(button) == {"type", "text", "url"}
            return is_button and label["type"] == "plain_text" and 0 < len(label["text"]) <= 75
        text = block.get("text", {})
        if not set(block) <= {"type", "text"} or not text.get("text"):
            return False
        if block["type"] == "header":
            return set(text) == {"type", "text"} and text["type"] == "plain_text" and len(text["text"]) <= 150
        known = {"type", "text", "verbatim"}
        return block["type"] == "section" and set(text) <= known and len(text["text"]) <= 3_000

    @property
    def shown(self) -> str:
        """The text of all blocks of the only message."""
        [message] = self.messages
        return "\n".join(block["text"]["text"] for block in message["blocks"] if "text" in block)


def mentions_in(mrkdwn: str) -> list[str]:
    """What Slack takes for a mention or a link: everything between angle brackets."""
    return re.findall(r"<([^>]*)>", mrkdwn)


@dataclass(slots=True)
class ReceiverStandIn:
    """A receiver of signed reports that refuses a wrong signature."""

    secret: str = ""
    status: int = 204
    reports: list[Any] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)

    def __call__(self, request: Received) -> Reply:
        """Verify the signature as the convention's own library does."""
        self.requests.append(request)
        if self.secret:
            try:
                Webhook(self.secret).verify(request.body, request.headers)
            except WebhookVerificationError:
                return Reply(401)
        if self.status < 300:
            self.reports.append(request.json)
        return Reply(self.status)


@dataclass(slots=True)
class GitHubStandIn:
    """GitHub's comments API, checked against its OpenAPI description.

    `login` is the author of what this token writes; `answers_viewer` is whether GraphQL works. `can_write` is false
    for a fork's pull request. Everything under `lost` is deleted by somebody just before it is edited.
    """

    token: str = "ghs_secret0123456789"
    login: str = "github-actions[bot]"
    answers_viewer: bool = True
    can_write: bool = True
    is_locked: bool = False
    lost: set[int] = field(default_factory=set)
    comments: list[dict[str, Any]] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)

    def add(self, login: str, body: str | None) -> None:
        """Put a comment of somebody's on the pull request."""
        number = max((comment["id"] for comment in self.comments), default=0) + 1
        self.comments.append(
            {
                "id": number,
                "node_id": f"IC_{number}",
                "url": f"https://api.github.example/{number}",
                "html_url": f"https://github.example/{number}",
                "issue_url": "https://api.github.example/issues/3",
                "body": body,
                "user": _user(login),
                "created_at": "2026-11-25T00:00:00Z",
                "updated_at": "2026-11-25T00:00:00Z",
                "author_association": "NONE",
            }
        )

    @property
    def bodies(self) -> list[str]:
        """The comments' texts."""
        return [comment["body"] for comment in self.comments]

    def __call__(self, request: Received) -> Reply:
        """Answer as GitHub does."""
        self.requests.append(request)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return Reply.of({"message": "Bad credentials"}, 401)
        if (request.method, request.path) == ("POST", "/graphql"):
            assert "viewer" in request.json["query"]
            if not self.answers_viewer:
                return Reply.of({"message": "Forbidden"}, 403)
            return Reply.of({"data": {"viewer": {"login": self.login}}})
        operation, values = _operation(request)
        status, value = self._answer(request, values)
        if status < 300:
            # The description does not know that a body can be null, which it can.
            bodied = [{**c, "body": c["body"] or ""} for c in value] if isinstance(value, list) else value
            jsonschema.validate(bodied, operation["response"]["schema"])
            assert status == operation["response"]["status"]
        return Reply.of(value, status)

    def _answer(self, request: Received, values: dict[str, str]) -> tuple[int, Any]:
        if request.method == "GET":
            size, page = int(values.get("per_page", 30)), int(values.get("page", 1))
            return 200, self.comments[(page - 1) * size : page * size]
        if not self.can_write:
            return 403, {"message": "Resource not accessible by integration"}
        if self.is_locked:
            return 403, {"message": "Unable to create comment because issue is locked."}
        if request.method == "POST":
            self.add(self.login, self._body(request))
            return 201, self.comments[-1]
        return self._changed(request, int(values["comment_id"]))

    def _changed(self, request: Received, number: int) -> tuple[int, Any]:
        self.comments = [comment for comment in self.comments if comment["id"] not in self.lost]
        found = next((comment for comment in self.comments if comment["id"] == number), None)
        if found is None:
            return 404, {"message": "Not Found"}
        if request.method == "DELETE":
            self.comments.remove(found)
            return 204, None
        found["body"] = self._body(request)
        return 200, found

    @staticmethod
    def _body(request: Received) -> str:
        body: str = request.json["body"]
        assert len(body) <= 65_536, "Body is too long (maximum is 65536 characters)"
        return body


def _operation(request: Received) -> tuple[dict[str, Any], dict[str, str]]:
    """The operation of the description that a request belongs to, and its parameters; wrong ones are an error."""
    url = urlsplit(request.path)
    for template, operations in OPENAPI["paths"].items():
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
        found = re.fullmatch(pattern, url.path)
        if found and request.method == "DELETE" and "comment_id" in found.groupdict():
            return {"response": {"schema": {}, "status": 204}}, found.groupdict()
        if found and request.method.lower() in operations:
            operation = operations[request.method.lower()]
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            known = {p["name"]: p["schema"] for p in operation.get("parameters", ())}
            for name, value in {**found.groupdict(), **query}.items():
                schema = known[name]
                jsonschema.validate(int(value) if schema["type"] == "integer" else value, schema)
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                jsonschema.validate(request.json, schema | {"additionalProperties": False})
            assert request.headers["x-github-api-version"] == "2022-11-28"
            return operation, found.groupdict() | query
    raise AssertionError(f"GitHub has no {request.method} {request.path}")


def _user(login: str) -> dict[str, Any]:
    urls = {name: f"https://api.github.example/{name}" for name in _USER_URLS}
    return {"login": login, "id": 1, "node_id": "U", "gravatar_id": "", "type": "User", "site_admin": False, **urls}


_USER_URLS = (
    "avatar_url",
    "url",
    "html_url",
    "followers_url",
    "following_url",
    "gists_url",
    "starred_url",
    "subscriptions_url",
    "organizations_url",
    "repos_url",
    "events_url",
    "received_events_url",
)
