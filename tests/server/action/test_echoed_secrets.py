"""What was sent as a secret and comes back in an answer: it is in nothing that the program says or writes."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from incident_gate.sandbox import Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.command import gate
from tests.helpers.services import Reply
from tests.helpers.step import Step
from tests.helpers.stranger import OLD, Stranger

TOKEN = "s3cr3t-token"
ACCESS = "dXNlcjpw/YXNzd29yZA=="
HEADERS = f"Authorization-Proxy: Basic {ACCESS}"
ECHO = f"Bearer {TOKEN} with {ACCESS} is not welcome"


def echo_as_an_error(_name: str, variables: Mapping[str, Any]) -> Reply | None:
    if "urns" not in variables:
        return None
    return Reply.of({"data": {"entities": None}, "errors": [{"message": ECHO, "path": ["entities"]}]})


@pytest.fixture(params=["a title", "an error"])
def echoing(request: pytest.FixtureRequest) -> Iterator[Stranger]:
    """A server that quotes the request's headers."""
    with Stranger(sdl=OLD) as server:
        server.assets |= {ORDERS, CUSTOMERS}
        server.add_incident(ORDERS, title=ECHO, description=f"Seen: {ECHO}")
        if request.param == "an error":
            server.interrupt = echo_as_an_error
        yield server


def test_step_says_and_writes_no_secret_that_was_echoed(step: Step, echoing: Stranger) -> None:
    ended = step.main(datahub_url=echoing.url, datahub_token=TOKEN, headers=HEADERS)

    written = "\n".join([ended.summary, *ended.outputs.values(), *ended.state.values()])
    # The masks themselves are the runner's business.
    said = "\n".join(line for line in ended.log.splitlines() if not line.startswith("::add-mask::"))
    assert ended.code != 0
    assert "with *** is not welcome" in said
    assert "is not welcome" in written
    for secret in (TOKEN, ACCESS):
        assert secret not in said + written


@pytest.mark.parametrize("arguments", [("--verbose", "--explain"), ("--format", "json")])
def test_command_prints_no_secret_that_was_echoed(manifest: str, echoing: Stranger, arguments: tuple[str, ...]) -> None:
    ended = gate(
        "check", manifest, "--datahub-url", echoing.url, "--datahub-token", TOKEN, "--headers", HEADERS, *arguments
    )

    assert ended.code != 0
    assert "with *** is not welcome" in " ".join(ended.out.split())
    for secret in (TOKEN, ACCESS):
        assert secret not in ended.out + ended.err


def test_ordinary_header_values_are_neither_masked_nor_replaced(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="production load 1 is late: true")

    ended = step.main(datahub, headers="X-Api-Version: 1\nX-Flag: true\nX-Environment: production\nX-Password: abc")

    assert ended.outputs["verdict"] == "unhealthy"
    assert ended.output("unhealthy") == [ORDERS]
    assert [incident["title"] for incident in ended.output("incidents")] == ["production load 1 is late: true"]
    assert ended.said("add-mask") == [datahub.token]
    [notice] = [text for text in ended.said("notice", "warning") if "X-Flag" in text]
    assert "X-Api-Version, X-Flag, X-Environment, X-Password in headers" in notice


def test_only_the_whole_value_of_a_header_is_replaced(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="analytics: nightly analytics 2026")
    datahub.store.raise_incident(ORDERS, title="analytics are late")

    ended = step.main(datahub, headers="X-Team-Key: nightly analytics 2026")

    titles = {incident["title"] for incident in ended.output("incidents")}
    assert titles == {"analytics: ***", "analytics are late"}


def test_step_shows_no_secret_of_another_service_that_an_incident_quotes(step: Step, datahub: Sandbox) -> None:
    secrets = {
        "slack_webhook_url": "http://127.0.0.1:9/services/T0/B0/s3cr3t-of-slack",
        "slack_token": "xoxb-s3cr3t-of-slack",
        "slack_channel": "C1",
        "webhook_url": "http://127.0.0.1:9/hook?key=s3cr3t-of-hook",
        "webhook_secret": "whsec_c2VjcmV0LW9mLXRoZS1ob29rLTEyMzQ1Ng==",
        "github_token": "ghs_s3cr3t0fGithub",
    }
    hidden = [secret for name, secret in secrets.items() if name != "slack_channel"]
    datahub.store.raise_incident(ORDERS, title=f"Seen: {' '.join(hidden)}", description=" ".join(hidden))

    ended = step.main(datahub, notify_on="raised", **secrets)

    written = "\n".join([ended.summary, *ended.outputs.values(), *ended.state.values()])
    said = "\n".join(line for line in ended.log.splitlines() if not line.startswith("::add-mask::"))
    assert "Seen: *** *** *** *** ***" in said
    assert not [secret for secret in hidden if secret in said + written]
