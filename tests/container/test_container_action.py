"""The action in its image, started as GitHub's runner starts it."""

import json
import re
from collections.abc import Callable
from uuid import uuid4

import pytest
import trustme

from incident_gate.sandbox import Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.loopback import tls_front
from tests.helpers.step import Step, run_engine

MakeStep = Callable[..., Step]


def active(datahub: Sandbox, urn: str) -> list[str]:
    return [incident.urn for incident in datahub.store.incidents(urn, "ACTIVE")]


def test_healthy_inputs_pass(make_step: MakeStep) -> None:
    ended = make_step().main()

    assert ended.code == 0, ended.log
    assert ended.outputs["conclusion"] == "pass"
    assert ended.outputs["verdict"] == "healthy"
    assert "no open incidents on 1 input" in ended.summary


def test_active_incident_blocks_on_the_manifests_line(make_step: MakeStep, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="Rows are missing")

    ended = make_step().main()

    assert ended.code == 1, ended.log
    assert ended.outputs["conclusion"] == "block"
    assert json.loads(ended.outputs["unhealthy"]) == [ORDERS]
    [annotation] = re.findall(r"^::error (.*)$", ended.log, re.MULTILINE)
    assert "file=.github/incident-gate.yml" in annotation
    assert "line=3" in annotation
    assert "Rows are missing" in annotation


def test_failed_job_raises_one_incident_and_the_next_success_resolves_it(make_step: MakeStep, datahub: Sandbox) -> None:
    theirs = datahub.store.raise_incident(CUSTOMERS, title="Somebody else's")
    step = make_step(report_outcome="true")

    assert step.main().code == 0
    raising = step.post(status="failure")
    [ours] = set(active(datahub, CUSTOMERS)) - {theirs}
    assert step.post(status="failure").code == 0
    assert set(active(datahub, CUSTOMERS)) == {theirs, ours}

    assert step.main().code == 0
    resolving = step.post(status="success")

    assert raising.code == resolving.code == 0, raising.log + resolving.log
    assert active(datahub, CUSTOMERS) == [theirs]


def test_reports_are_written_below_the_workspace(make_step: MakeStep) -> None:
    step = make_step(report_files="junit=out/gate.xml\njson=out/gate.json\nmarkdown=out/gate.md")

    ended = step.main()

    assert ended.code == 0, ended.log
    assert {path.name for path in (step.workspace / "out").iterdir()} == {"gate.xml", "gate.json", "gate.md"}
    assert "<testcase" in (step.workspace / "out/gate.xml").read_text(encoding="utf-8")


def test_blocked_job_raises_nothing(make_step: MakeStep, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="Rows are missing")
    step = make_step(report_outcome="true")

    assert step.main().code == 1
    assert step.post(status="failure").code == 0

    assert active(datahub, CUSTOMERS) == []


def test_cancelled_job_raises_nothing(make_step: MakeStep, datahub: Sandbox) -> None:
    step = make_step(report_outcome="true")

    assert step.main().code == 0
    assert step.post(status="cancelled").code == 0

    assert active(datahub, CUSTOMERS) == []


def test_without_a_network_the_gate_says_that_datahub_was_not_reached(make_step: MakeStep) -> None:
    ended = make_step("--network", "none", datahub_url="https://datahub.example.com", timeout="3").main()

    assert ended.code == 3, ended.log
    assert "datahub.example.com" in ended.log


def test_root_may_be_read_only(make_step: MakeStep, datahub: Sandbox) -> None:
    step = make_step("--read-only", report_outcome="true")

    assert step.main().code == 0
    ended = step.post(status="failure")

    assert ended.code == 0, ended.log
    assert len(active(datahub, CUSTOMERS)) == 1


def test_address_is_resolved_by_name(make_step: MakeStep, datahub: Sandbox) -> None:
    ended = make_step(datahub_url=datahub.url.replace("127.0.0.1", "localhost")).main()

    assert ended.code == 0, ended.log


def test_certificate_of_an_unknown_authority_is_refused(make_step: MakeStep, datahub: Sandbox) -> None:
    with tls_front(datahub.url, trustme.CA(), "localhost") as port:
        ended = make_step(datahub_url=f"https://localhost:{port}", timeout="10").main()

    assert ended.code == 3, ended.log
    assert "certificate" in ended.log


@pytest.mark.parametrize("way", ["ca-bundle", "SSL_CERT_FILE"])
def test_certificate_of_the_users_own_authority_is_accepted(make_step: MakeStep, datahub: Sandbox, way: str) -> None:
    authority = trustme.CA()
    with tls_front(datahub.url, authority, "localhost") as port:
        step = make_step(datahub_url=f"https://localhost:{port}")
        step.write("ca.pem", authority.cert_pem.bytes().decode())
        if way == "ca-bundle":
            step.inputs[way] = "ca.pem"
        else:
            step.environment[way] = "/github/workspace/ca.pem"
        ended = step.main()

    assert ended.code == 0, ended.log


def test_checkout_and_environment_cannot_replace_what_the_gate_imports(make_step: MakeStep) -> None:
    step = make_step()
    for name in ("yaml.py", "httpx.py", "sitecustomize.py"):
        step.write(name, "raise SystemExit('replaced')")
    step.environment |= {"PYTHONPATH": "/github/workspace", "PYTHONHOME": "/github/workspace"}

    ended = step.main()

    assert ended.code == 0, ended.log


def test_nothing_is_written_outside_of_the_runners_folders(make_step: MakeStep, engine: list[str]) -> None:
    name = f"incident-gate-{uuid4()}"
    try:
        assert make_step("--name", name).main().code == 0
        changes = run_engine(engine, "diff", name).splitlines()
    finally:
        run_engine(engine, "rm", name)

    # Engines make the mount points, and what they mount into every container.
    expected = re.compile(r"[AC] /(github|etc|dev|proc|sys|run)(/.*)?$")
    assert [change for change in changes if not expected.match(change)] == []


def test_token_stays_out_of_log_summary_and_outputs(make_step: MakeStep, datahub: Sandbox) -> None:
    step = make_step()
    ended = step.main()

    masking, *rest = (line for line in ended.log.splitlines() if datahub.token in line)
    assert masking == f"::add-mask::{datahub.token}"
    assert rest == []
    assert datahub.token not in ended.summary + json.dumps(dict(ended.outputs))
