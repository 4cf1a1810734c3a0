"""The pull request comment: one for each job, kept up to date through GitHub's REST API."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from incident_gate.errors import Hint
from incident_gate.gate.policy import Conclusion
from incident_gate.notify.delivery import Answer, DeliveryError, Service
from incident_gate.report.model import Report
from incident_gate.report.summary import summary
from incident_gate.report.view import headline
from incident_gate.text import link, markdown

LONGEST_COMMENT = 65_536  # characters; GitHub refuses a longer one
_ROOM = 60_000  # bytes for the report; the marker and the link to the run take the rest
_PAGE, _MOST_PAGES = 100, 50
_ACTIONS_BOT = "github-actions[bot]"
_FORBIDDEN, _NOT_FOUND, _UNAUTHORIZED = 403, 404, 401


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """The pull request that a run is for. `api` is `GITHUB_API_URL`, also GitHub Enterprise Server's."""

    api: str
    repository: str
    number: int
    token: str = field(repr=False)


def marker_of(scope: str, key: str) -> str:
    """The invisible line by which a job finds its own comment: two jobs of one pull request each have one."""
    return f"<!-- incident-gate {hashlib.sha256(f'{scope} {key}'.encode()).hexdigest()[:32]} -->"


def body_of(report: Report, marker: str, run_name: str, run_url: str) -> str:
    """The comment's text: the job summary while something does not pass, else one line."""
    run = link(run_name, run_url)
    if report.conclusion is Conclusion.PASS:
        return f"{marker}\n✅ {markdown(headline(report), 300)} ({run})\n"
    return f"{marker}\n{summary(report, _ROOM)}\n{run}\n"


def keep_comment(pull: PullRequest, service: Service, marker: str, body: str, *, create: bool) -> None:
    """Create the job's comment, or bring it up to date.

    Args:
        pull: Where it belongs.
        service: GitHub's REST API.
        marker: As `marker_of` makes it; `body` begins with it.
        body: The whole text.
        create: Whether to create it if there is none.

    Raises:
        DeliveryError: GitHub did not take it.
    """
    own = _own_comment(pull, service, marker)
    if own is None:
        if create:
            path = f"/repos/{pull.repository}/issues/{pull.number}/comments"
            _checked(_call(pull, service, "POST", path, {"body": body}))
    elif own.get("body") != body:
        path = f"/repos/{pull.repository}/issues/comments/{own['id']}"
        _checked(_call(pull, service, "PATCH", path, {"body": body}))


def _own_comment(pull: PullRequest, service: Service, marker: str) -> dict[str, Any] | None:
    """The comment with the marker whose author this token is; anybody can copy a marker."""
    login: str | None = None
    for comment in _comments(pull, service):
        body, author = comment.get("body"), comment.get("user")
        if not (isinstance(body, str) and body.startswith(marker) and isinstance(comment.get("id"), int)):
            continue
        name = author.get("login") if isinstance(author, dict) else None
        if name == _ACTIONS_BOT:
            return comment
        if login is None:
            login = _login(pull, service)
        if name and name == login:
            return comment
    return None


def _comments(pull: PullRequest, service: Service) -> Iterator[dict[str, Any]]:
    # Pages are counted here: a link in an answer could lead to another host.
    for page in range(1, _MOST_PAGES + 1):
        path = f"/repos/{pull.repository}/issues/{pull.number}/comments?per_page={_PAGE}&page={page}"
        listed = _value(_checked(_call(pull, service, "GET", path)))
        comments = listed if isinstance(listed, list) else []
        yield from (comment for comment in comments if isinstance(comment, dict))
        if len(comments) < _PAGE:
            return


def _login(pull: PullRequest, service: Service) -> str:
    """The login of the token's user; empty for the workflow's own token, for which GitHub refuses this query."""
    answer = _call(pull, service, "GET", "/user")
    value = None if answer.failed else _value(answer)
    login = value.get("login") if isinstance(value, dict) else None
    return login if isinstance(login, str) else ""


def _call(pull: PullRequest, service: Service, method: str, path: str, value: dict[str, str] | None = None) -> Answer:
    headers = {
        # The second is what GitHub's own API description names.
        "Accept": "application/vnd.github+json, application/json;q=0.9",
        "Authorization": f"Bearer {pull.token}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    body = None
    if value is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(value).encode()
    # A comment that is created twice is seen by everybody; the same text written twice is not.
    return service.send(method, f"{pull.api}{path}", headers=headers, body=body, repeatable=method != "POST")


def _checked(answer: Answer) -> Answer:
    if not answer.failed:
        return answer
    if answer.status in {_FORBIDDEN, _NOT_FOUND}:
        hint = (
            "Give the job `permissions: {pull-requests: write}`. "
            "On a pull request from a fork or by Dependabot the token is read-only."
        )
    elif answer.status == _UNAUTHORIZED:
        hint = Hint("Check {github-token}.")
    else:
        hint = "Look at GitHub's status page."
    raise DeliveryError(
        f"The pull request comment could not be written: HTTP {answer.status}",
        hint,
        is_expected=answer.status == _FORBIDDEN,
    )


def _value(answer: Answer) -> object:
    try:
        value: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return value
