"""The pull request comment: one for each job, kept up to date through GitHub's API."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from incident_gate.errors import Hint
from incident_gate.gate.policy import Conclusion
from incident_gate.json_values import at, items, mappings, text, whole
from incident_gate.notify.delivery import DeliveryError, Service, ServiceAnswer
from incident_gate.report.headline import grounds
from incident_gate.report.model import Report
from incident_gate.report.summary import summary
from incident_gate.settings.model import Notify
from incident_gate.text import link, markdown

LONGEST_COMMENT = 65_536  # characters; GitHub refuses a longer one
_ROOM = 60_000  # bytes for the report; the marker and the link to the run take the rest
_PAGE, _MOST_PAGES = 100, 50
_ACTIONS_BOT = "github-actions[bot]"
_FORBIDDEN, _NOT_FOUND, _UNAUTHORIZED = 403, 404, 401


def marker_of(scope: str, key: str) -> str:
    """The invisible line by which a job finds its own comment: two jobs of one pull request each have one."""
    return f"<!-- incident-gate {hashlib.sha256(f'{scope} {key}'.encode()).hexdigest()[:32]} -->"


def body_of(report: Report, marker: str) -> str:
    """The comment's text: the job summary while something does not pass, else one line."""
    run = link(report.run.name, report.run.url)
    if report.conclusion is Conclusion.PASS:
        return f"{marker}\n🟢 **DataHub Incident Gate**: {markdown(grounds(report), 300)} ({run})\n"
    return f"{marker}\n{summary(report, _ROOM)}\n{run}\n"


def keep_comment(where: Notify, report: Report, marker: str, service: Service) -> None:
    """Bring the job's comment up to date; create it where something does not pass.

    Of several that a race left, the oldest is edited and the others are deleted. Anybody can copy a marker, so only
    comments of this token's own author count.
    """
    api = _Api(where, report.run.repository, service)
    body = body_of(report, marker)
    marked = [comment for comment in api.comments() if text(comment, "body").startswith(marker)]
    login = api.login() if marked else ""
    own = [comment for comment in marked if text(comment, "user", "login") == (login or _ACTIONS_BOT)]
    own.sort(key=lambda comment: int(comment["id"]))
    for duplicate in own[1:]:
        api.delete(duplicate["id"])
    if own and (own[0].get("body") == body or api.edit(own[0]["id"], body)):
        return
    if marked and not (login or own):
        # A comment with the marker may be this token's own.
        raise DeliveryError(
            "The pull request comment was left as it is: GitHub does not say whose token this is",
            Hint("Give {github-token} access to GitHub's GraphQL API, or use the job's own token."),
        )
    if report.conclusion is not Conclusion.PASS:
        api.create(body)


class _Api:
    """The few requests that a comment takes."""

    def __init__(self, where: Notify, repository: str, service: Service) -> None:
        self._where = where
        self._service = service
        self._issues = f"{where.github_api}/repos/{repository}/issues"

    def comments(self) -> Iterator[dict[str, Any]]:
        # Pages are counted here: a link in an answer could lead to another host.
        for page in range(1, _MOST_PAGES + 1):
            url = f"{self._issues}/{self._where.pull_request}/comments?per_page={_PAGE}&page={page}"
            listed = _checked(self._call("GET", url)).json
            yield from (comment for comment in mappings(listed) if whole(comment, "id") is not None)
            if len(items(listed)) < _PAGE:
                return

    def login(self) -> str:
        """The login of what the token belongs to, for every kind of token; empty where GitHub does not answer."""
        answer = self._call("POST", self._where.github_graphql, {"query": "query {viewer {login}}"}, repeatable=True)
        return "" if answer.failed else text(answer.json, "data", "viewer", "login")

    def create(self, body: str) -> None:
        # A comment that is created twice is seen by everybody, so this is not repeated.
        _checked(self._call("POST", f"{self._issues}/{self._where.pull_request}/comments", {"body": body}))

    def edit(self, number: int, body: str) -> bool:
        """Replace a comment's text; False if somebody deleted it."""
        answer = self._call("PATCH", f"{self._issues}/comments/{number}", {"body": body}, repeatable=True)
        return answer.status != _NOT_FOUND and bool(_checked(answer))

    def delete(self, number: int) -> None:
        answer = self._call("DELETE", f"{self._issues}/comments/{number}", repeatable=True)
        if answer.status != _NOT_FOUND:
            _checked(answer)

    def _call(
        self, method: str, url: str, value: Mapping[str, str] | None = None, *, repeatable: bool = False
    ) -> ServiceAnswer:
        headers = {
            # The second is what GitHub's own API description names.
            "Accept": "application/vnd.github+json, application/json;q=0.9",
            "Authorization": f"Bearer {self._where.github_token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        body = None
        if value is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(value).encode()
        return self._service.send(method, url, headers=headers, body=body, repeatable=repeatable or method == "GET")


def _checked(answer: ServiceAnswer) -> ServiceAnswer:
    if not answer.failed:
        return answer
    locked = answer.status == _FORBIDDEN and "locked" in str(at(answer.json, "message")).lower()
    if locked:
        hint = "The conversation is locked: a maintainer can unlock it."
    elif answer.status in {_FORBIDDEN, _NOT_FOUND}:
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
