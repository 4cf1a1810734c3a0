"""The pull request comment, against a stand-in that GitHub's OpenAPI description checks."""

from __future__ import annotations

import pytest

from incident_gate.ci.run import Run
from incident_gate.notify.comment import LONGEST_COMMENT, body_of, keep_comment, marker_of
from incident_gate.notify.delivery import DeliveryError
from incident_gate.report.model import Report
from incident_gate.settings.model import Notify
from tests.helpers.report_samples import decision, entry, everything, report, unhealthy
from tests.helpers.services import GitHubStandIn, serving
from tests.server.notify.conftest import MakeService

RUN = Run(repository="acme/shop", workflow="Nightly", number="12", url="https://github.com/acme/shop/actions/runs/4711")
BAD = everything()._replace(run=RUN)
GOOD = report(decision(entry("orders")), run=RUN)
MARKER = marker_of("scope", "key")
BODY = body_of(BAD, MARKER)
BOT = "github-actions[bot]"


@pytest.fixture
def github() -> GitHubStandIn:
    return GitHubStandIn()


def keep(github: GitHubStandIn, make_service: MakeService, of: Report = BAD, marker: str = MARKER) -> list[str]:
    """Keep the comment; returns the methods of the requests."""
    before = len(github.requests)
    with serving(github) as url:
        where = Notify(
            comment=True, pull_request=3, github_api=url, github_graphql=f"{url}/graphql", github_token=github.token
        )
        keep_comment(where, of, marker, make_service())
    return [request.method for request in github.requests[before:]]


def test_comment_is_created_once_then_updated_and_not_written_again(
    github: GitHubStandIn, make_service: MakeService
) -> None:
    # Nobody has to be asked who the author is before there is a comment.
    assert keep(github, make_service) == ["GET", "POST"]
    assert keep(github, make_service) == ["GET", "POST"]
    assert github.requests[-1].path == "/graphql"
    other = BAD._replace(run=RUN._replace(workflow="Hourly"))
    assert keep(github, make_service, other) == ["GET", "POST", "PATCH"]

    assert github.bodies == [BODY.replace("Nightly", "Hourly")]


def test_good_news_create_nothing_and_replace_what_was_wrong_by_one_line(
    github: GitHubStandIn, make_service: MakeService
) -> None:
    keep(github, make_service, GOOD)
    assert github.bodies == []
    keep(github, make_service)
    keep(github, make_service, GOOD)

    [body] = github.bodies
    assert body.splitlines()[1:] == [
        (
            "🟢 **DataHub Incident Gate**: no open incidents on 1 input "
            "([Nightly &#35;<wbr>12](https://github.com/acme/shop/actions/runs/4711))"
        )
    ]


def test_two_jobs_keep_their_own_comments(github: GitHubStandIn, make_service: MakeService) -> None:
    keep(github, make_service)
    keep(github, make_service, marker=marker_of("scope", "another key"))

    assert len(github.bodies) == 2


@pytest.mark.parametrize(
    ("author", "body"),
    [("mallory", f"{MARKER}\nlook here"), (BOT, f"> {MARKER}"), (BOT, None), ("data-bot", f"{MARKER}\nof another app")],
)
def test_what_is_not_this_tokens_own_comment_is_left_alone(
    github: GitHubStandIn, make_service: MakeService, author: str, body: str | None
) -> None:
    github.add(author, body)
    keep(github, make_service)

    assert github.bodies == [body, BODY]


@pytest.mark.parametrize("login", [BOT, "data-bot[bot]", "ana"])
def test_oldest_of_the_tokens_own_is_edited_and_the_others_are_deleted(
    github: GitHubStandIn, make_service: MakeService, login: str
) -> None:
    github.login = login
    for author in ("mallory", login, login, login):
        github.add(author, f"{MARKER}\nold")
    keep(github, make_service)

    assert [(comment["id"], comment["body"]) for comment in github.comments] == [(1, f"{MARKER}\nold"), (2, BODY)]


def test_comment_that_somebody_deleted_meanwhile_is_created_again(
    github: GitHubStandIn, make_service: MakeService
) -> None:
    github.add(BOT, f"{MARKER}\nold")
    github.lost = {1}
    keep(github, make_service)

    assert github.bodies == [BODY]


def test_without_the_tokens_login_nothing_is_created_beside_a_marker(
    github: GitHubStandIn, make_service: MakeService
) -> None:
    github.answers_viewer = False
    github.add("some-app[bot]", f"{MARKER}\nold")
    with pytest.raises(DeliveryError, match="left as it is"):
        keep(github, make_service)
    assert github.bodies == [f"{MARKER}\nold"]
    github.add(BOT, f"{MARKER}\nold")
    keep(github, make_service)
    assert github.bodies == [f"{MARKER}\nold", BODY]


def test_comment_on_a_later_page_is_found(github: GitHubStandIn, make_service: MakeService) -> None:
    for number in range(230):
        github.add("ana", f"comment {number}")
    github.add(BOT, f"{MARKER}\nold")
    keep(github, make_service)

    assert len(github.bodies) == 231
    assert github.bodies[-1] == BODY


@pytest.mark.parametrize(
    ("fields", "advice"),
    [({"can_write": False}, "pull-requests: write"), ({"is_locked": True}, "conversation is locked")],
)
def test_what_is_expected_is_explained_and_no_warning(
    make_service: MakeService, fields: dict[str, bool], advice: str
) -> None:
    with pytest.raises(DeliveryError, match="HTTP 403") as refused:
        keep(GitHubStandIn(**fields), make_service)  # type: ignore[arg-type]

    assert refused.value.is_expected
    assert advice in refused.value.hint


def test_long_report_stays_below_githubs_limit(github: GitHubStandIn, make_service: MakeService) -> None:
    many = report(*(unhealthy(f"table_{n}", 180 * "ü", line=n + 1) for n in range(3_000)))
    keep(github, make_service, many._replace(run=RUN))

    assert len(github.bodies[0]) <= LONGEST_COMMENT
    assert "more" in github.bodies[0]
