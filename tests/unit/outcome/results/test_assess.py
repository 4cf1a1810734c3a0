"""The dbt manifest that belongs to results is found, or its absence is a reason for the job's status to decide."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from incident_gate.errors import Hint
from incident_gate.outcome.result import Effect, Evaluation
from incident_gate.outcome.results.load import ResultFiles, assess
from incident_gate.text import Redactor
from tests.helpers.results import BEFORE_THE_SAMPLES, FIXTURES, output

SHOP = FIXTURES / "dbt" / "shop-1.12"
ORDERS = "urn:li:dataset:(urn:li:dataPlatform:duckdb,shop.mart.orders_v2,PROD)"


def assessed(workspace: Path, *patterns: str, urn: str = ORDERS, **values: Any) -> Evaluation:
    files = ResultFiles(patterns=patterns, folder=workspace, confined=True, job_start=BEFORE_THE_SAMPLES, **values)
    return assess([output(urn)], files, job_failed=True)


def put(workspace: Path, results: str = "target/run_results.json", manifest: str = "target/manifest.json") -> None:
    for source, name in (("build.run_results.json", results), ("manifest.json", manifest)):
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SHOP / source, workspace / name)


@pytest.mark.parametrize(
    ("results", "manifest", "named"),
    [
        ("target/run_results.json", "target/manifest.json", ""),
        ("saved/build.json", "saved/manifest.json", ""),
        # Copies elsewhere: the usual place.
        ("saved/build.json", "target/manifest.json", ""),
        ("saved/build.json", "shop/out/manifest.json", "shop/out/manifest.json"),
        ("saved/build.json", "shop/out/manifest.json", "shop/out"),
    ],
)
def test_the_manifest_is_found(tmp_path: Path, results: str, manifest: str, named: str) -> None:
    put(tmp_path, results, manifest)
    evaluation = assessed(tmp_path, results, manifests=(named,) if named else ())
    assert [d.headline for d in evaluation.decisions] == ["4 of 7 checks failed"]
    assert not evaluation.warnings


def test_without_a_manifest_that_can_be_read_the_jobs_status_decides(tmp_path: Path) -> None:
    manifest = tmp_path / "work/target/manifest.json"
    put(tmp_path / "work")
    shutil.move(manifest, tmp_path / "manifest.json")

    def warning() -> str:
        evaluation = assessed(tmp_path / "work", "target/run_results.json")
        assert [(d.effect, d.by_results) for d in evaluation.decisions] == [(Effect.RAISE, False)]
        return evaluation.warnings[-2]

    assert "manifest.json is not known" in warning()
    manifest.write_text("{", encoding="utf-8")
    assert warning().startswith("target/manifest.json is not complete JSON")
    manifest.unlink()
    manifest.symlink_to(tmp_path / "manifest.json")
    assert warning() == "target/manifest.json leads out of the workspace."


@pytest.mark.parametrize("platforms", [(), ("redshift",)])
def test_the_target_platform_of_a_selector_names_a_projects_tables(tmp_path: Path, platforms: tuple[str, ...]) -> None:
    put(tmp_path)
    urn = ORDERS.replace("duckdb", "redshift")
    [decision] = assessed(tmp_path, "target/run_results.json", urn=urn, platforms=platforms).decisions
    assert decision.by_results is bool(platforms)


def test_a_manifest_is_looked_for_beside_dbts_results_only(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text('<testsuite><testcase name="a"/></testsuite>', encoding="utf-8")
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    (warning,) = assessed(tmp_path, "a.xml").warnings
    assert warning.startswith("1 output: the job's status was used instead of the result files.")


def test_secrets_are_replaced_wherever_a_name_is_shown(tmp_path: Path) -> None:
    case = '<testcase classname="{}" name="s3cret"><failure/></testcase>'
    text = "".join(map(case.format, ("ours", "theirs")))
    (tmp_path / "s3cret.xml").write_text(f"<testsuite errors='3'>{text}</testsuite>", encoding="utf-8")
    redact, patterns = Redactor(("s3cret",)), ["s3cret.xml", "s3cret/*.json"]
    files = ResultFiles(patterns=patterns, folder=tmp_path, confined=True, job_start=0, redact=redact)
    evaluation = assess([output(ORDERS, "ours.s3cret")], files, job_failed=True)
    assert [one.name for one in evaluation.decisions[0].failed] == ["ours.***"]
    assert evaluation.unrelated_failed == ("theirs.***",)
    missing, incomplete = evaluation.warnings
    assert incomplete.startswith("***.xml is incomplete")
    assert isinstance(missing, Hint)
    shown = missing.resolved(lambda name, _: f"--{name}")
    assert shown.startswith("***/*.json matches no file: check `--test-results`, and")
