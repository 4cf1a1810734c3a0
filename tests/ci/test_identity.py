"""The key: the same job over runs, branches and commits; nobody else."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.ci.identity import JobIdentity, canonical_matrix, key_in, sign

JOB = JobIdentity(
    server="datahub:8080",
    repository="acme/pipelines",
    workflow=".github/workflows/b.yml",
    job="build",
    matrix='{"region":"eu"}',
    incident_key="production",
)
ASSET = "urn:li:dataset:(urn:li:dataPlatform:snowflake,a,PROD)"


def test_key_is_the_same_for_ever() -> None:
    """A new way to compute it would leave every open incident without its owner."""
    assert JOB.key_of(ASSET) == "3b63ab9b713d339849ee3944b6d5df6c"
    assert JobIdentity(server="s").key_of(ASSET) == "b865aa9c1ad13d6812cc98771c00a613"


@pytest.mark.parametrize("part", ["server", "repository", "workflow", "job", "matrix", "incident_key"])
def test_every_part_makes_another_key(part: str) -> None:
    assert replace(JOB, **{part: "x"}).key_of(ASSET) != JOB.key_of(ASSET)


def test_every_output_has_a_key_of_its_own() -> None:
    assert JOB.key_of(ASSET) != JOB.key_of(ASSET.replace("PROD", "DEV"))


def test_case_of_the_repository_does_not_matter_and_that_of_the_rest_does() -> None:
    assert replace(JOB, repository="Acme/Pipelines").key_of(ASSET) == JOB.key_of(ASSET)
    for part in ("workflow", "job", "matrix", "incident_key"):
        assert replace(JOB, **{part: getattr(JOB, part).upper()}).key_of(ASSET) != JOB.key_of(ASSET)


def test_parts_do_not_run_into_each_other() -> None:
    assert replace(JOB, workflow="a", job="bc").key_of(ASSET) != replace(JOB, workflow="ab", job="c").key_of(ASSET)
    assert replace(JOB, workflow='a","b', job="").key_of(ASSET) != replace(JOB, workflow="a", job="b").key_of(ASSET)


@given(st.text(), st.text())
def test_key_is_found_again_in_any_signed_description(description: str, asset: str) -> None:
    key = JOB.key_of(asset)
    assert key_in(sign(description, key)) == key


@pytest.mark.parametrize(
    ("description", "key"),
    [
        (None, None),
        ("", None),
        ("   \n", None),
        ("Incident Gate key: abc", "abc"),
        ("text\n\nIncident Gate key: abc\n\n  ", "abc"),
        ("text\r\n\r\nIncident Gate key: abc\r\n", "abc"),
        ("text\n  Incident Gate key: abc  ", "abc"),
        # A person may write below it.
        ("Incident Gate key: abc\nand more", "abc"),
        ("Incident Gate key: abc\n\n&nbsp;", "abc"),
        ("Incident Gate key: old\nIncident Gate key: abc\nand more", "abc"),
        # Quoted, or with something before it: that is somebody else's text.
        ("> Incident Gate key: abc", None),
        ("see Incident Gate key: abc", None),
        ("incident gate key: abc", None),
        ("Incident Gate key:abc", None),
    ],
)
def test_key_is_found_on_a_line_of_its_own(description: str | None, key: str | None) -> None:
    assert key_in(description) == key


def test_key_stands_alone_on_the_last_line() -> None:
    assert sign("What happened.\n\n", "abc") == "What happened.\n\nIncident Gate key: abc"
    assert sign("", "abc").endswith("\nIncident Gate key: abc")


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
