"""An outcome for each output, from the files that the job's tools wrote."""

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_gate.incident import Cause, mark_in
from incident_gate.sandbox import Generation, Sandbox
from tests.helpers.command import gate
from tests.helpers.results import FIXTURES, dbt_results
from tests.helpers.step import Ended, Step

pytestmark = pytest.mark.writes

SHOP = FIXTURES / "dbt" / "shop-1.12"


def urn(name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:duckdb,shop.mart.{name},PROD)"


ORDERS, CUSTOMERS, STAGING, MIXED = (urn(n) for n in ("orders_v2", "dim_customers", "stg_customers", "mixed case"))
PAYMENTS = "urn:li:dataset:(urn:li:dataPlatform:duckdb,shop.mart_finance.payments,PROD)"
OUTPUTS = (ORDERS, CUSTOMERS, STAGING, MIXED, PAYMENTS)


@pytest.fixture
def shop(step: Step, sandbox: Sandbox) -> Sandbox:
    """A stand-in that knows the outputs of the sample project, and a step with a manifest of them."""
    sandbox.store.add_assets(OUTPUTS)
    step.write_manifest("outputs:\n" + "".join(f"  - {json.dumps(urn)}\n" for urn in OUTPUTS))
    step.inputs |= {"test-results": "target/*_results.json", "report-outcome": "true"}
    return sandbox


def now(hours: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def dbt_writes(step: Step, command: str, *, hours: float = 0, name: str = "run_results.json") -> None:
    """Put a sample's results into the workspace, as of now."""
    results = json.loads((SHOP / f"{command}.run_results.json").read_text(encoding="utf-8"))
    results["metadata"]["generated_at"] = now(hours)
    step.write(f"target/{name}", json.dumps(results))
    shutil.copy(SHOP / "manifest.json", step.workspace / "target/manifest.json")


def job(step: Step, server: Sandbox, *commands: str, status: str, hours: float = 0) -> Ended:
    """A job: the gate, dbt's commands, and the job's end."""
    shutil.rmtree(step.workspace / "target", ignore_errors=True)
    assert step.main(server).code == 0
    for number, command in enumerate(commands):
        dbt_writes(step, command, hours=hours, name=f"{number}_results.json")
    return step.post(server, status=status)


def active(server: Sandbox, asset: str) -> list[Cause]:
    """The causes of the active incidents on an asset."""
    marks = [mark_in(incident.description) for incident in server.store.incidents(asset, "ACTIVE")]
    return [mark.cause for mark in marks if mark]


def state(server: Sandbox) -> dict[str, list[Cause]]:
    return {asset: causes for asset in OUTPUTS if (causes := active(server, asset))}


def test_each_model_has_its_own_incident(step: Step, shop: Sandbox) -> None:
    ended = job(step, shop, "build", status="failure")
    assert state(shop) == {ORDERS: [Cause.CHECKS]}
    [incident] = shop.store.incidents(ORDERS, "ACTIVE")
    assert incident.title == "shop.mart.orders_v2: 4 of 7 checks failed"
    description = incident.description or ""
    assert description.startswith("4 of 7 checks failed:\n- `test.shop.accepted_values_orders_status__new__paid")
    assert "`Got 1 result, configured to fail if != 0`" in description
    assert "resolved by it when all of its checks pass again" in description
    assert ended.output("raised") == [incident.urn]
    assert "4 of 7 checks failed](" in ended.summary
    assert "incident raised on 1 output" in ended.log
    assert "no change" in ended.summary


def test_results_without_a_report_have_no_effect(step: Step, shop: Sandbox) -> None:
    notices = step.main(shop, report_outcome="false").said("notice")
    assert "test-results has no effect without report-outcome." in notices
    assert "no effect" not in step.main(shop).log


def ends_with(step: Step, server: Sandbox, which: str, *results: tuple[str, str]) -> Ended:
    """A job that succeeds, in which a command of dbt's has these results."""
    shutil.rmtree(step.workspace / "target", ignore_errors=True)
    assert step.main(server).code == 0
    step.write("target/own_results.json", dbt_results(*results, which=which, generated_at=now()))
    shutil.copy(SHOP / "manifest.json", step.workspace / "target/manifest.json")
    return step.post(server, status="success")


BUILT, PASSED = ("model.shop.payments", "success"), ("test.shop.not_null_payments_id.df64f33b67", "pass")


def test_the_cause_decides_what_resolves(step: Step, shop: Sandbox) -> None:
    # The model's error, answered by a build alone.
    job(step, shop, "then-2-run", status="failure")
    assert active(shop, PAYMENTS) == [Cause.BUILD]
    ends_with(step, shop, "run", BUILT)
    assert active(shop, PAYMENTS) == []
    # Failed checks, answered by every check.
    job(step, shop, "then-3-test", status="failure")
    assert active(shop, PAYMENTS) == [Cause.CHECKS]
    ends_with(step, shop, "run", BUILT)
    assert active(shop, PAYMENTS) == [Cause.CHECKS]
    ended = ends_with(step, shop, "test", PASSED)
    assert active(shop, PAYMENTS) == []
    assert len(ended.output("resolved")) == 1
    [*_, resolved] = shop.store.incidents(PAYMENTS, "RESOLVED")
    assert "its check passed." in (resolved.message or "")


def test_a_file_of_another_job_leaves_it_to_the_jobs_status(step: Step, shop: Sandbox) -> None:
    job(step, shop, "then-3-test", status="failure")
    ended = job(step, shop, "build", status="failure", hours=-1)
    assert any("is older than this job" in warning for warning in ended.said("warning"))
    assert any("the job's status was used instead of the result files" in warning for warning in ended.said("warning"))
    assert (active(shop, ORDERS), active(shop, STAGING)) == ([Cause.CHECKS], [Cause.JOB])


def test_modes_of_their_own_do_only_their_part(step: Step, shop: Sandbox) -> None:
    step.inputs |= {"report-outcome": "false"}
    dbt_writes(step, "compile")
    assert step.main(shop, mode="raise").code == 0
    dbt_writes(step, "then-3-test")
    step.main(shop, mode="raise")
    assert len(state(shop)) == 5
    step.main(shop, mode="resolve")
    assert set(state(shop)) == {ORDERS, PAYMENTS}
    # Without results a success shows nothing of the checks that failed.
    ended = step.main(shop, mode="resolve", test_results="")
    assert set(state(shop)) == {ORDERS, PAYMENTS}
    assert "the job's success alone does not show" in " ".join(ended.log.split())
    for asset in (ORDERS, PAYMENTS):
        shop.store.resolve(shop.store.incidents(asset, "ACTIVE")[0].urn)
    ended = step.main(shop, mode="resolve")
    assert state(shop) == {}
    assert "but this step only resolves" in ended.log
    step.main(shop, mode="report", job_status="failure")
    assert set(state(shop)) == {ORDERS, PAYMENTS}


def test_nothing_untrusted_is_active_and_nothing_secret_is_shown(step: Step, shop: Sandbox) -> None:
    step.write_manifest(f"outputs:\n  - urn: {ORDERS}\n    checks: ['*']\n")
    step.inputs["test-results"] = "r.xml"
    step.main(shop)
    evil = "::error::owned `x` [link](http://evil) @everyone &#27;[31m <b>x</b>\nselect password from users"
    step.write(
        "r.xml",
        f'<testsuite timestamp="{now()}"><testcase classname="t" name="{shop.token}"><failure message="'
        f'token {shop.token}"/></testcase><testcase classname="t" name="a&#10;::warning::x"><failure message="'
        f'{evil.replace("<", "&lt;").replace("&#27;", "").replace(chr(10), "&#10;")}">rows: 1, 2, 3</failure>'
        "</testcase></testsuite>",
    )
    ended = step.post(shop, status="failure")
    [incident] = shop.store.incidents(ORDERS, "ACTIVE")
    assert "- `t.***`: `token ***`" in (incident.description or "")
    log = "\n".join(line for line in ended.log.splitlines() if not line.startswith("::add-mask::"))
    everything = f"{incident.description}{incident.title}{log}{ended.summary}"
    for secret in ("password", "rows: 1", "\x1b", shop.token):
        assert secret not in everything
    assert {c.name for c in ended.commands} <= {"notice", "add-mask"}
    assert not re.search(r"^[^`]*\[link\]\(", incident.description or "", re.MULTILINE)
    assert "`t.a : :warning::x`" in (incident.description or "")


def test_what_a_project_builds_needs_no_names(step: Step, shop: Sandbox) -> None:
    """A selector's outputs, of which DataHub knows the warehouse's tables only."""
    step.write_manifest("outputs:\n  - dbt: {manifest: target/manifest.json, select: ['model.shop.*']}\n")
    ended = job(step, shop, "build", status="failure")
    assert state(shop) == {ORDERS: [Cause.CHECKS]}
    # Of the 14 models, DataHub knows five. What it does not know is a warning and no incident.
    assert "4 of 7 checks failed" in ended.summary
    shop.store.add_assets([urn("customers_v1"), "urn:li:dataset:(urn:li:dataPlatform:dbt,shop.mart.orders_v2,PROD)"])
    job(step, shop, "build", status="failure")
    assert active(shop, urn("customers_v1")) == [Cause.CHECKS]


def test_a_selectors_target_platform_holds_for_results(step: Step, shop: Sandbox) -> None:
    table = ORDERS.replace("duckdb", "redshift")
    shop.store.add_assets([table])
    selector = "{manifest: target/manifest.json, select: [seed.shop.regions], target-platform: redshift}"
    step.write_manifest(f"outputs:\n  - {json.dumps(table)}\n  - dbt: {selector}\n")
    job(step, shop, "build", status="failure")
    assert active(shop, table) == [Cause.CHECKS]


def test_a_gitlab_job_starts_when_gitlab_says(tmp_path: Path, sandbox: Sandbox) -> None:
    sandbox.store.add_assets([ORDERS])
    for name in ("build.run_results.json", "manifest.json"):
        shutil.copy(SHOP / name, tmp_path / name)
    (tmp_path / "gate.yml").write_text(f"outputs:\n  - {json.dumps(ORDERS)}\n", encoding="utf-8")
    arguments = ("report", str(tmp_path / "gate.yml"), "--test-results", str(tmp_path / "*.run_results.json"))

    def report(started: str, *more: str) -> Any:
        environment = {
            "DATAHUB_GMS_URL": sandbox.url,
            "DATAHUB_GMS_TOKEN": sandbox.token,
            "GITLAB_CI": "true",
            "CI_PROJECT_PATH": "acme/shop",
            "CI_PIPELINE_ID": "7",
            "CI_JOB_NAME": "build",
            "CI_JOB_STATUS": "failed",
            "CI_COMMIT_BRANCH": "main",
            "CI_DEFAULT_BRANCH": "main",
            "CI_JOB_STARTED_AT": started,
        }
        ended = gate(*arguments, *more, "--dry-run", "--format", "json", environment=environment)
        assert ended.code == 0, ended.err
        return ended.json["outcome"]

    fresh, stale = report("2026-11-25T01:00:00Z"), report("2026-11-25T02:00:00Z")
    [decided, by_status] = [(o["change"], o["decidedBy"], o["reason"]) for o in (*fresh["outputs"], *stale["outputs"])]
    assert decided == ("would raise", "results", "4 of 7 checks failed")
    assert by_status == ("would raise", "job-status", "the job failed")
    assert (fresh["warnings"], fresh["unrelatedChecks"], fresh["unrelatedFailures"]) == ([], 26, 4)
    assert "is older than this job" in stale["warnings"][0]


def test_a_server_that_does_not_know_the_type_gets_the_general_one(step: Step, each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_assets([ORDERS])
    step.write_manifest(f"outputs:\n  - urn: {ORDERS}\n    checks: ['events.*']\n")
    step.inputs |= {"test-results": "soda.json", "report-outcome": "true"}
    step.main(each_sandbox)
    scan = json.loads((FIXTURES / "results/soda-3.5/scan.json").read_text(encoding="utf-8"))
    step.write("soda.json", json.dumps(scan | {"scanEndTimestamp": now()}))
    step.post(each_sandbox, status="failure")
    [incident] = each_sandbox.store.incidents(ORDERS, "ACTIVE")
    few_types = each_sandbox.generation in {Generation.G1, Generation.G2_EARLY}
    assert incident.type == ("OPERATIONAL" if few_types else "FRESHNESS")
