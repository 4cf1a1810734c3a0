"""One message to a service that does not take it as it should."""

import httpx
import pytest

from incident_gate.datahub.parallel import Deadline
from incident_gate.notify.delivery import MAX_ANSWER_BYTES, DeliveryError, Service

URL = "https://hooks.example.com/s3cr3t"


class Receiver:
    """Answers in order, the last one to every further request. Its clock runs only while a service waits."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = answers
        self.now = 0.0
        self.requests = 0

    def send(self, *, repeatable: bool) -> int:
        with httpx.Client(transport=httpx.MockTransport(self._answer)) as client:
            deadline = Deadline(20.0, lambda: self.now)
            service = Service(name="The service", client=client, deadline=deadline, sleep=self._sleep)
            return service.send("POST", URL, repeatable=repeatable).status

    def _answer(self, _request: httpx.Request) -> httpx.Response:
        answer = self.answers[min(self.requests, len(self.answers) - 1)]
        self.requests += 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("repeatable", [True, False])
def test_connection_is_tried_again_until_the_deadline_and_its_address_is_not_shown(*, repeatable: bool) -> None:
    receiver = Receiver(httpx.ConnectError(f"cannot reach {URL}"))

    with pytest.raises(DeliveryError, match=r"^The service could not be reached \(ConnectError\)$") as raised:
        receiver.send(repeatable=repeatable)
    assert 2 < receiver.requests < 30  # the waits get longer
    assert receiver.now < 20
    assert raised.value.hint


def test_lost_answer_is_asked_for_again_where_that_does_no_harm() -> None:
    receiver = Receiver(httpx.ReadError(URL), httpx.Response(200))
    assert (receiver.send(repeatable=True), receiver.requests) == (200, 2)

    receiver = Receiver(httpx.ReadError(URL))
    with pytest.raises(DeliveryError, match=r"\(ReadError\)$"):
        receiver.send(repeatable=False)
    assert receiver.requests == 1


@pytest.mark.parametrize(
    ("status", "headers", "of_repeatable", "of_others"),
    [
        (429, {}, 2, 2),
        (403, {"Retry-After": "1"}, 2, 2),
        (403, {}, 1, 1),
        (503, {}, 2, 1),
        (500, {}, 1, 1),
        (300, {}, 1, 1),
    ],
)
def test_request_is_sent_again_where_the_service_asks_for_that(
    status: int, headers: dict[str, str], of_repeatable: int, of_others: int
) -> None:
    for repeatable, requests in ((True, of_repeatable), (False, of_others)):
        receiver = Receiver(httpx.Response(status, headers=headers), httpx.Response(200))
        assert (receiver.send(repeatable=repeatable), receiver.requests) == (200 if requests == 2 else status, requests)


def test_answer_beyond_the_limit_is_not_read() -> None:
    with pytest.raises(DeliveryError, match=r"^The service sent more than 16 MiB$"):
        Receiver(httpx.Response(200, content=b" " * (MAX_ANSWER_BYTES + 1))).send(repeatable=True)
