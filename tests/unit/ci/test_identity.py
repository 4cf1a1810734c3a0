"""Key and scope: the same job over runs, branches and commits; nobody else."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.ci.identity import BLOCKED, JobIdentity, canonical_matrix, is_blocked, mark_job_blocked

JOB = JobIdentity(
    server="datahub:8080",
    ci_server="github.com",
    repository="acme/pipelines",
    workflow=".github/workflows/b.yml",
    job="build",
    matrix='{"region":"eu"}',
    incident_key="production",
)
ASSET = "urn:li:dataset:(urn:li:dataPlatform:snowflake,a,PROD)"


def test_key_is_the_same_for_ever() -> None:
    """A new way to compute it would leave every open incident without its owner."""
    assert JOB.key_of(ASSET) == "45cd79fe4714f9ee36deb120a0cccbd5"
    assert JobIdentity(server="s").key_of(ASSET) == "0c259318231f1ba41c00230a125664b7"


@pytest.mark.parametrize("part", ["server", "ci_server", "repository", "workflow", "job", "matrix", "incident_key"])
def test_every_part_makes_another_key(part: str) -> None:
    assert JOB._replace(**{part: "x"}).key_of(ASSET) != JOB.key_of(ASSET)


def test_every_output_has_a_key_of_its_own() -> None:
    assert JOB.key_of(ASSET) != JOB.key_of(ASSET.replace("PROD", "DEV"))


def test_case_of_the_repository_does_not_matter_and_that_of_the_rest_does() -> None:
    assert JOB._replace(repository="Acme/Pipelines").key_of(ASSET) == JOB.key_of(ASSET)
    for part in ("workflow", "job", "matrix", "incident_key"):
        assert JOB._replace(**{part: getattr(JOB, part).upper()}).key_of(ASSET) != JOB.key_of(ASSET)


def test_parts_do_not_run_into_each_other() -> None:
    assert JOB._replace(workflow="a", job="bc").key_of(ASSET) != JOB._replace(workflow="ab", job="c").key_of(ASSET)
    assert JOB._replace(workflow='a","b', job="").key_of(ASSET) != JOB._replace(workflow="a", job="b").key_of(ASSET)


def test_scope_is_the_key_without_job_and_matrix_leg() -> None:
    assert JOB.scope_of(ASSET) == "e2b71ae039cd8614ff99ec0de19d411a"
    assert JOB.scope_of(ASSET) != JOB.key_of(ASSET)
    for part in ("job", "matrix"):
        assert JOB._replace(**{part: "x"}).scope_of(ASSET) == JOB.scope_of(ASSET)
    for part in ("server", "ci_server", "repository", "workflow", "incident_key"):
        assert JOB._replace(**{part: "x"}).scope_of(ASSET) != JOB.scope_of(ASSET)
    assert JOB.scope_of("x") != JOB.scope_of(ASSET)


def test_without_workflow_and_incident_key_nothing_is_known() -> None:
    assert not JobIdentity(server="s", repository="acme/shop", job="build").is_known
    assert JobIdentity(server="s", workflow="w").is_known
    assert JobIdentity(server="s", incident_key="k").is_known


@pytest.mark.parametrize("text", ["", "  ", "null", "{}", " null\n", "[]"])
def test_no_matrix_is_empty_however_it_is_printed(text: str) -> None:
    assert canonical_matrix(text) == ""


def test_layout_and_order_of_a_matrix_leg_do_not_matter() -> None:
    pretty = '{\n  "python": "3.11",\n  "os": "linux"\n}'
    assert canonical_matrix(pretty) == canonical_matrix('{"os":"linux","python":"3.11"}')
    assert canonical_matrix(pretty) == '{"os":"linux","python":"3.11"}'


def test_values_and_types_of_a_matrix_leg_matter() -> None:
    legs = ['{"a": 1}', '{"a": "1"}', '{"a": 2}', '{"b": 1}', '{"a": [1]}', '{"a": {"b": 1}}', '{"a": true}']
    assert len({canonical_matrix(leg) for leg in legs}) == len(legs)


def test_what_is_no_json_is_taken_as_it_stands() -> None:
    assert canonical_matrix(" eu-west ") == "eu-west"
    deep = "[" * 100_000
    assert canonical_matrix(deep) == deep


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans(), min_size=1))
def test_canonical_form_is_canonical(leg: dict[str, object]) -> None:
    canonical = canonical_matrix(json.dumps(leg, indent=2))
    assert canonical_matrix(canonical) == canonical
    assert json.loads(canonical) == leg


# A gate that stopped the job


@pytest.mark.parametrize("before", ["", "OTHER=1\n", "OTHER=1"])
def test_that_a_gate_stopped_the_job_is_left_once_in_the_runners_file(tmp_path: Path, before: str) -> None:
    path = tmp_path / "env"
    path.write_text(before, encoding="utf-8")

    assert mark_job_blocked({"GITHUB_ENV": str(path)}) == ""
    assert mark_job_blocked({"GITHUB_ENV": str(path), BLOCKED: "true"}) == ""

    assert path.read_text(encoding="utf-8").splitlines() == [*before.splitlines(), f"{BLOCKED}=true"]


@pytest.mark.parametrize(("value", "blocks"), [("true", True), ("True ", True), ("false", False), ("", False)])
def test_job_is_blocked_where_the_mark_is_true(value: str, *, blocks: bool) -> None:
    assert is_blocked({BLOCKED: value}) is blocks
    assert not is_blocked({})


def test_mark_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    assert mark_job_blocked({}) == ""
    assert mark_job_blocked({"GITHUB_ENV": str(tmp_path)}).startswith(
        "Later steps will not know that the gate stopped this job: "
    )
