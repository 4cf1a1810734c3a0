"""The signed report."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from incident_gate.notify.announce import post_report as post
from incident_gate.notify.delivery import DeliveryError
from incident_gate.report.json import document
from incident_gate.settings.model import Notify
from tests.helpers.report_samples import everything
from tests.helpers.services import ReceiverStandIn, serving
from tests.server.notify.conftest import MakeService

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
REPORT = document(everything(), events=["blocked"])


def test_receiver_verifies_the_signature(make_service: MakeService) -> None:
    receiver = ReceiverStandIn(secret=SECRET)
    with serving(receiver) as url:
        post(Notify(webhook_url=f"{url}/hook", webhook_secret=SECRET), REPORT, make_service())

    assert receiver.reports == [json.loads(REPORT)]
    assert receiver.reports[0]["event"] == "blocked"
    assert receiver.requests[0].headers["content-type"] == "application/json"


def test_wrong_secret_is_refused_and_explained(make_service: MakeService) -> None:
    receiver = ReceiverStandIn(secret=SECRET)
    where = {"webhook_secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
    with serving(receiver) as url, pytest.raises(DeliveryError, match="HTTP 401") as refused:
        post(Notify(webhook_url=url, **where), REPORT, make_service())  # type: ignore[arg-type]

    assert "webhook-secret" in refused.value.hint
    assert "whsec" not in str(refused.value)


def test_old_signature_is_refused(make_service: MakeService) -> None:
    receiver = ReceiverStandIn(secret=SECRET)
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    with serving(receiver) as url, pytest.raises(DeliveryError):
        post(Notify(webhook_url=url, webhook_secret=SECRET), REPORT, make_service(), now=lambda: hour_ago)


def test_report_without_a_secret_is_not_signed(make_service: MakeService) -> None:
    receiver = ReceiverStandIn()
    with serving(receiver) as url:
        post(Notify(webhook_url=url), REPORT, make_service())

    assert "webhook-signature" not in receiver.requests[0].headers
    assert receiver.requests[0].headers["webhook-id"].startswith("msg_")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_busy_receiver_is_asked_again_with_the_same_id(make_service: MakeService, status: int) -> None:
    receiver = ReceiverStandIn(status=status)
    with serving(receiver) as url, pytest.raises(DeliveryError, match=f"HTTP {status}"):
        post(Notify(webhook_url=url), REPORT, make_service())

    assert len(receiver.requests) > 1
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
