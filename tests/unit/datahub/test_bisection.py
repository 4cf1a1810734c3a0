"""Which items a bisection asks for, and when it ends."""

import pytest

from incident_gate.datahub.failure import GraphqlError, Rejection, RequestFailure
from incident_gate.datahub.parallel import MOST_REFUSALS, MOST_REFUSALS_AT_FIRST, Refusals, bisect
from incident_gate.errors import RefusedError, UnreachableError

FAILURE = RequestFailure("it throws", errors=(GraphqlError("it throws", code=500),))
NOT_ALLOWED = RequestFailure("may not", errors=(GraphqlError("may not", code=403),))
COSTLY = RequestFailure("too complex", rejection=Rejection.COSTLY)


class Server:
    """Fails on requests that have a guilty item in them, or more items than it accepts."""

    def __init__(self, guilty: set[int], failure: RequestFailure = FAILURE, *, accepts: int = 10_000) -> None:
        self.guilty = guilty
        self.failure = failure
        self.accepts = accepts
        self.requests: list[list[int]] = []
        self.answered: list[int] = []
        self.refused: list[int] = []

    def ask(self, items: int, refusals: Refusals | None = None) -> None:
        bisect(
            range(items),
            lambda part: self._answer(list(part)),
            refused=lambda item, _failure: self.refused.append(item),
            refusals=refusals or Refusals(),
        )

    def _answer(self, part: list[int]) -> None:
        self.requests.append(part)
        if self.guilty & set(part):
            raise self.failure
        if len(part) > self.accepts:
            raise COSTLY
        self.answered += part


def test_what_is_answered_is_asked_once() -> None:
    server = Server(set())

    server.ask(250)

    assert server.requests == [list(range(250))]


def test_guilty_item_is_isolated_and_the_largest_parts_come_first() -> None:
    server = Server({5})

    server.ask(8)

    assert server.refused == [5]
    assert sorted(server.answered) == [0, 1, 2, 3, 4, 6, 7]
    assert [len(part) for part in server.requests] == [8, 4, 4, 2, 2, 1, 1]


@pytest.mark.parametrize("items", [1, 2, 3, 7])
def test_each_guilty_item_is_reported_once(items: int) -> None:
    server = Server(set(range(items)))

    server.ask(items)

    assert sorted(server.refused) == list(range(items))


def test_request_that_costs_too_much_is_halved_until_it_is_accepted() -> None:
    server = Server(set(), accepts=3)

    server.ask(10)

    assert sorted(server.answered) == list(range(10))
    assert server.refused == []


def test_single_item_that_costs_too_much_ends_it() -> None:
    with pytest.raises(RequestFailure, match="too complex"):
        Server(set(), accepts=0).ask(4)


def test_query_that_the_server_does_not_know_is_not_halved() -> None:
    server = Server({1}, RequestFailure("no such field", rejection=Rejection.INVALID))

    with pytest.raises(RequestFailure, match="no such field"):
        server.ask(4)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("failure", "error"), [(FAILURE, UnreachableError), (NOT_ALLOWED, RefusedError)])
def test_server_that_answers_nothing_is_given_up(failure: RequestFailure, error: type[Exception]) -> None:
    server = Server(set(range(250)), failure)

    with pytest.raises(error, match=f"^DataHub fails on every request: {failure.message}\\. Check the server's health"):
        server.ask(250)
    assert len(server.requests) == MOST_REFUSALS_AT_FIRST + 1


def test_server_that_has_answered_may_refuse_a_whole_batch() -> None:
    refusals = Refusals()
    Server(set()).ask(1, refusals)
    server = Server(set(range(250)))

    server.ask(250, refusals)

    assert sorted(server.refused) == list(range(250))
    assert len(server.requests) == MOST_REFUSALS - 1


def test_server_that_has_answered_is_given_up_all_the_same() -> None:
    refusals = Refusals()
    Server(set()).ask(1, refusals)

    with pytest.raises(UnreachableError):
        Server(set(range(300))).ask(300, refusals)


def test_answer_between_refusals_makes_them_no_row() -> None:
    refusals = Refusals()
    for _ in range(3):
        Server(set()).ask(1, refusals)
        server = Server(set(range(250)))
        server.ask(250, refusals)

        assert len(server.refused) == 250
