"""The action in its image, started as GitHub's runner starts it."""

import json
import re
from collections.abc import Callable
from uuid import uuid4

import pytest

from incident_gate.sandbox import Sandbox
from tests.helpers.container_job import INPUT, OUTPUT, ContainerJob, run_engine
from tests.helpers.tls_front import tls_front

MakeJob = Callable[..., ContainerJob]


def active(datahub: Sandbox, urn: str) -> list[str]:
    return [incident.urn for incident in datahub.store.incidents(urn, "ACTIVE")]


def test_healthy_inputs_pass(make_job: MakeJob) -> None:
    ran = make_job().main()

    assert ran.code == 0, ran.log
    assert ran.outputs["conclusion"] == "pass"
    assert ran.outputs["verdict"] == "healthy"
    assert "orders" in ran.summary


def test_active_incident_blocks_on_the_manifests_line(make_job: MakeJob, datahub: Sandbox) -> None:
    datahub.store.raise_incident(INPUT, title="Rows are missing")

    ran = make_job().main()

    assert ran.code == 1, ran.log
    assert ran.outputs["conclusion"] == "block"
    assert json.loads(ran.outputs["unhealthy"]) == [INPUT]
    [annotation] = re.findall(r"^::error (.*)$", ran.log, re.MULTILINE)
    assert "file=.github/incident-gate.yml" in annotation
    assert "line=3" in annotation
    assert "Rows are missing" in annotation


def test_failed_job_raises_one_incident_and_the_next_success_resolves_it(make_job: MakeJob, datahub: Sandbox) -> None:
    theirs = datahub.store.raise_incident(OUTPUT, title="Somebody else's")
    failing, mended = (make_job(name, report_outcome="true") for name in ("failing", "mended"))

    assert failing.main().code == 0
    raising = failing.post("failure")
    [ours] = set(active(datahub, OUTPUT)) - {theirs}
    assert failing.post("failure").code == 0
    assert set(active(datahub, OUTPUT)) == {theirs, ours}

    assert mended.main().code == 0
    resolving = mended.post("success")

    assert raising.code == resolving.code == 0, raising.log + resolving.log
    assert active(datahub, OUTPUT) == [theirs]


def test_blocked_job_raises_nothing(make_job: MakeJob, datahub: Sandbox) -> None:
    datahub.store.raise_incident(INPUT, title="Rows are missing")
    job = make_job(report_outcome="true")

    assert job.main().code == 1
    assert job.post("failure").code == 0

    assert active(datahub, OUTPUT) == []


def test_cancelled_job_raises_nothing(make_job: MakeJob, datahub: Sandbox) -> None:
    job = make_job(report_outcome="true")

    assert job.main().code == 0
    assert job.post("cancelled").code == 0

    assert active(datahub, OUTPUT) == []


def test_without_a_network_the_gate_says_that_datahub_was_not_reached(make_job: MakeJob) -> None:
    job = make_job(datahub_url="https://datahub.example.com", timeout="3")
    job.options += ["--network", "none"]

    ran = job.main()

    assert ran.code == 3, ran.log
    assert "datahub.example.com" in ran.log


def test_root_may_be_read_only(make_job: MakeJob, datahub: Sandbox) -> None:
    job = make_job(report_outcome="true")
    job.options.append("--read-only")

    assert job.main().code == 0
    ran = job.post("failure")

    assert ran.code == 0, ran.log
    assert len(active(datahub, OUTPUT)) == 1


def test_address_is_resolved_by_name(make_job: MakeJob, datahub: Sandbox) -> None:
    ran = make_job(datahub_url=datahub.url.replace("127.0.0.1", "localhost")).main()

    assert ran.code == 0, ran.log


def test_certificate_of_an_unknown_authority_is_refused(make_job: MakeJob, datahub: Sandbox) -> None:
    with tls_front(datahub.url) as (url, _):
        ran = make_job(datahub_url=url, timeout="10").main()

    assert ran.code == 3, ran.log
    assert "certificate" in ran.log


@pytest.mark.parametrize("way", ["ca-bundle", "SSL_CERT_FILE"])
def test_certificate_of_the_users_own_authority_is_accepted(make_job: MakeJob, datahub: Sandbox, way: str) -> None:
    with tls_front(datahub.url) as (url, authority):
        job = make_job(datahub_url=url)
        job.write("ca.pem", authority.decode())
        if way == "ca-bundle":
            job.inputs[way] = "ca.pem"
        else:
            job.environment[way] = "/github/workspace/ca.pem"
        ran = job.main()

    assert ran.code == 0, ran.log


def test_checkout_and_environment_cannot_replace_what_the_gate_imports(make_job: MakeJob) -> None:
    job = make_job()
    for name in ("yaml.py", "httpx.py", "sitecustomize.py"):
        job.write(name, "raise SystemExit('replaced')")
    job.environment |= {"PYTHONPATH": "/github/workspace", "PYTHONHOME": "/github/workspace"}

    ran = job.main()

    assert ran.code == 0, ran.log


def test_nothing_is_written_outside_of_the_runners_folders(make_job: MakeJob, engine: list[str]) -> None:
    job = make_job()
    name = f"incident-gate-{uuid4()}"
    job.options.append(f"--name={name}")
    job.keep = True
    try:
        assert job.main().code == 0
        changes = run_engine(engine, "diff", name).splitlines()
    finally:
        run_engine(engine, "rm", name)

    # Engines make the mount points, and what they mount into every container.
    expected = re.compile(r"[AC] /(github|etc|dev|proc|sys|run)(/.*)?$")
    assert [change for change in changes if not expected.match(change)] == []


def test_token_stays_out_of_log_summary_and_outputs(make_job: MakeJob, datahub: Sandbox) -> None:
    job = make_job()
    ran = job.main()

    masking, *rest = (line for line in ran.log.splitlines() if datahub.token in line)
    assert masking == f"::add-mask::{datahub.token}"
    assert rest == []
    assert datahub.token not in ran.summary + json.dumps(dict(ran.outputs))
