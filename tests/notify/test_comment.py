"""The pull request comment, against a stand-in that GitHub's OpenAPI description checks."""

from __future__ import annotations

import pytest

from incident_gate.notify.comment import LONGEST_COMMENT, PullRequest, body_of, keep_comment, marker_of
from incident_gate.notify.delivery import DeliveryError
from tests.helpers.report_samples import decision, entry, everything, report, unhealthy
from tests.helpers.services import GitHubStandIn, serving
from tests.notify.conftest import MakeService

MARKER = marker_of("scope", "key")
BODY = body_of(everything(), MARKER, "Nightly #12", "https://github.com/acme/shop/actions/runs/4711")


def keep(github: GitHubStandIn, make_service: MakeService, *, body: str = BODY, marker: str = MARKER) -> None:
    with serving(github) as url:
        pull = PullRequest(api=url, repository="acme/shop", number=3, token=github.token)
        keep_comment(pull, make_service(), marker, body, create=body == BODY)


def test_comment_is_created_once_and_then_updated(make_service: MakeService) -> None:
    github = GitHubStandIn()
    keep(github, make_service)
    again = BODY.replace("Nightly", "Hourly")
    with serving(github) as url:
        pull = PullRequest(api=url, repository="acme/shop", number=3, token=github.token)
        keep_comment(pull, make_service(), MARKER, again, create=True)

    assert github.bodies == [again]


def test_same_text_is_not_written_again(make_service: MakeService) -> None:
    github = GitHubStandIn()
    keep(github, make_service)
    keep(github, make_service)

    assert [r.method for r in github.requests] == ["GET", "POST", "GET"]


def test_comment_is_never_created_for_good_news(make_service: MakeService) -> None:
    github = GitHubStandIn()
    keep(github, make_service, body=f"{MARKER}\nfine")

    assert github.bodies == []


def test_good_news_replace_what_was_wrong(make_service: MakeService) -> None:
    github = GitHubStandIn()
    keep(github, make_service)
    good = body_of(report(decision(entry("orders"))), MARKER, "Nightly #13", "https://github.com/x")
    keep(github, make_service, body=good)

    assert github.bodies == [good]
    assert len(good.splitlines()) == 2


def test_two_jobs_keep_their_own_comments(make_service: MakeService) -> None:
    github = GitHubStandIn()
    keep(github, make_service)
    other = marker_of("scope", "another key")
    with serving(github) as url:
        pull = PullRequest(api=url, repository="acme/shop", number=3, token=github.token)
        keep_comment(pull, make_service(), other, BODY.replace(MARKER, other), create=True)

    assert len(github.bodies) == 2


def test_marker_that_somebody_copied_is_not_ours(make_service: MakeService) -> None:
    github = GitHubStandIn()
    github.add("mallory", f"{MARKER}\nlook here")
    keep(github, make_service)

    assert github.bodies == [f"{MARKER}\nlook here", BODY]


def test_marker_in_the_middle_of_a_comment_is_a_quote(make_service: MakeService) -> None:
    github = GitHubStandIn()
    github.add("github-actions[bot]", f"> {MARKER}")
    keep(github, make_service)

    assert len(github.bodies) == 2


def test_another_tokens_own_comment_is_found(make_service: MakeService) -> None:
    github = GitHubStandIn(login="data-bot", reads_user=True)
    github.add("data-bot", f"{MARKER}\nold")
    keep(github, make_service)

    assert github.bodies == [BODY]


def test_comment_on_a_later_page_is_found(make_service: MakeService) -> None:
    github = GitHubStandIn()
    for number in range(230):
        github.add("ana", f"comment {number}")
    github.add("github-actions[bot]", f"{MARKER}\nold")
    keep(github, make_service)

    assert len(github.bodies) == 231
    assert github.bodies[-1] == BODY


def test_read_only_token_is_expected_on_forks(make_service: MakeService) -> None:
    with pytest.raises(DeliveryError, match="HTTP 403") as refused:
        keep(GitHubStandIn(can_write=False), make_service)

    assert refused.value.is_expected
    assert "pull-requests: write" in refused.value.hint


def test_long_report_stays_below_githubs_limit(make_service: MakeService) -> None:
    many = report(*(unhealthy(f"table_{n}", 180 * "ü", line=n + 1) for n in range(3_000)))
    body = body_of(many, MARKER, "Nightly #12", "https://github.com/x")
    github = GitHubStandIn()
    with serving(github) as url:
        pull = PullRequest(api=url, repository="acme/shop", number=3, token=github.token)
        keep_comment(pull, make_service(), MARKER, body, create=True)

    assert len(github.bodies[0]) <= LONGEST_COMMENT
    assert "more" in body


def test_repr_holds_no_token() -> None:
    assert "ghs_" not in repr(PullRequest(api="x", repository="a/b", number=1, token="ghs_1"))
