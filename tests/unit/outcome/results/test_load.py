import json
import os
import shutil
from pathlib import Path

import pytest

from incident_gate.dbt.stream import Limits
from incident_gate.outcome.results import load as loading
from incident_gate.outcome.results.load import ResultFiles, load
from incident_gate.outcome.results.model import CheckStatus, FileResults
from tests.helpers.results import FIXTURES, dbt_results, read_files

CASE = '<testsuite><testcase classname="t" name="one"/></testsuite>'
URN = '<properties><property name="datahub.urn" value="u"/></properties>'
HOUR = 3600.0
START = 1_795_572_000.0  # 2026-11-25T02:00:00Z


def one(folder: Path, pattern: str, job_start: float = 0.0) -> FileResults:
    (found,) = read_files(folder, pattern, job_start=job_start)
    return found


def test_the_format_is_found_by_content_not_by_name(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(dbt_results(("model.p.a", "success")), encoding="utf-8")
    (tmp_path / "run_results.json").write_text(CASE, encoding="utf-8")
    assert (one(tmp_path, "results.csv").format, one(tmp_path, "run_results.json").format) == ("dbt", "JUnit")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("{}", "is none of the formats"),
        ("[]", "is none of the formats"),
        ("results", "is none of the formats"),
        ('{"checks": [1, 2]}', "is none of the formats"),
        (dbt_results(("model.p.a", "success"))[:-30], "is not complete JSON"),
        (CASE[:-5], "is not complete XML"),
        ("<html></html>", "is XML, but not of JUnit"),
        ("<!DOCTYPE html><html></html>", "is XML, but not of JUnit"),
        ("<!DOCTYPE testsuite>" + CASE, "has a document type definition"),
        ('<!DOCTYPE testsuite [<!ENTITY b "c">]><testsuite name="&b;"/>', "has a document type definition"),
        (
            '<?xml version="1.0" encoding="GBK"?>' + CASE,
            'is in the encoding "GBK", which cannot be read: write it in UTF-8',
        ),
        ('<?xml version="1.0" encoding="Shift_JIS"?>' + CASE, 'is in the encoding "Shift_JIS", which'),
        ('<?xml version="1.0" encoding="klingon"?>' + CASE, 'is in the encoding "klingon", which'),
        ('<?xml version="1.0" encoding="utf-16"?>' + CASE, 'is in the encoding "utf-16", which'),
        ("<testsuite>" + "<a>" * 200, "is nested more than 100 levels deep"),
        ('{"a": ' + "[" * 5000, "is nested more than 200 levels deep"),
        ('{"metadata": {"dbt_schema_version": "https://x/manifest/v12.json"}}', "is of dbt, but has no results"),
        ('{"metadata": {"dbt_schema_version": "https://x/run-results/v6.json"}}', "has no results of dbt"),
    ],
)
def test_a_file_that_cannot_be_used_has_a_problem(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "file").write_text(text, encoding="utf-8")
    assert problem in one(tmp_path, "file").problem


def test_only_regular_files_below_the_workspace_are_read(tmp_path: Path) -> None:
    workspace = tmp_path / "work"
    workspace.mkdir()
    (tmp_path / "outside.xml").write_text(CASE, encoding="utf-8")
    (workspace / "link.xml").symlink_to(tmp_path / "outside.xml")
    (workspace / "loop.xml").symlink_to(workspace / "loop.xml")
    (workspace / "folder").mkdir()
    (workspace / "up").symlink_to(tmp_path)
    os.mkfifo(workspace / "pipe")
    patterns = ("link.xml", "../outside.xml", "folder", "pipe", "up/*.xml", "u*/out*")
    assert {r.path: r.problem for r in read_files(workspace, *patterns)} == {
        "up": "leads out of the workspace",
        "link.xml": "leads out of the workspace",
        "../outside.xml": "leads out of the workspace",
        "folder": "is a folder: name files in `test-results`, like folder/**/*.xml",
        "pipe": "is not a regular file",
    }
    assert one(workspace, "loop.xml").problem
    assert one(workspace, str(tmp_path / "outside.xml")).problem == "leads out of the workspace"


@pytest.mark.parametrize(
    ("name", "text", "is_problem"),
    [
        ("jacoco.xml", "<!DOCTYPE report><report/>", False),
        ("index.html", "<!DOCTYPE html><html><br></html>", False),
        ("style.css", "a {}", False),
        ("results.xml.gz", "\x1f\x8b", False),
        ("results.json", "Running.\n{}", True),
    ],
)
def test_files_that_a_pattern_matches_by_chance_are_no_problem(
    tmp_path: Path, name: str, text: str, *, is_problem: bool
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = one(tmp_path, "**")
    assert (bool(found.problem), bool(found.note)) == (is_problem, not is_problem)
    assert one(tmp_path, name).problem


def test_a_name_with_brackets_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "results[1].xml").write_text(CASE, encoding="utf-8")
    assert not one(tmp_path, "results[1].xml").problem


@pytest.mark.parametrize("pattern", ["no.xml", "*.xml", "a**b", "a\0b", "/nowhere/*.xml", "*" * 300])
def test_what_matches_nothing_is_a_problem(tmp_path: Path, pattern: str) -> None:
    assert one(tmp_path, pattern).problem


def _times() -> list[tuple[str, str]]:
    gx = {"success": True, "results": [{"success": True, "expectation_config": {"type": "a"}}]}
    soda = {"hasErrors": False, "checks": [{"name": "a", "outcome": "pass"}]}
    return [
        ("dbt", dbt_results(("model.p.a", "success"), generated_at="TIME")),
        ("gx", json.dumps(gx | {"meta": {"run_id": {"run_time": "TIME"}}})),
        ("gx validation", json.dumps(gx | {"meta": {"run_id": {}, "validation_time": "TIME"}})),
        ("gx checkpoint", json.dumps({"run_id": {"run_time": "TIME"}, "run_results": {"x": gx}})),
        ("soda", json.dumps(soda | {"scanStartTimestamp": "2020-01-01T00:00:00Z", "scanEndTimestamp": "TIME"})),
        ("junit", CASE.replace("<testsuite", '<testsuite timestamp="TIME"')),
        ("junit root", f'<testsuites timestamp="TIME">{CASE}</testsuites>'),
    ]


@pytest.mark.parametrize(("form", "text"), _times())
@pytest.mark.parametrize(
    ("time", "is_old"),
    [
        ("2026-11-25T01:59:59.999Z", True),
        ("2026-11-25T02:59:59.9+01:00", True),
        ("2026-11-25T02:00:00.000001Z", False),
        ("2026-11-25T01:00:01-01:00", False),
    ],
)
def test_the_time_in_the_file_decides_about_its_age(
    tmp_path: Path, form: str, text: str, time: str, *, is_old: bool
) -> None:
    (tmp_path / "file").write_text(text.replace("TIME", time), encoding="utf-8")
    # The modification time would say the opposite.
    os.utime(tmp_path / "file", (0, START + HOUR if is_old else START - HOUR / 2))
    assert ("older than this job" in one(tmp_path, "file", START).problem) is is_old, form


@pytest.mark.parametrize(
    ("time", "later", "believed"),
    [
        # None at all.
        ("", 5, False),
        ("yesterday", 5, False),
        ("1970-01-01T00:00:00", 5, False),
        ("1970-01-01T01:00:00+01:00", 5, False),
        # Somebody's local time, from Baker Island to Kiribati: the modification time decides.
        ("2026-11-25T02:00:00", 12, False),
        ("2026-11-25T02:00:00", -14, False),
        ("2026-11-25T02:00:00", 5, False),
        ("2026-11-25T02:00:00", -5.5, False),
        # No local time, but possible: a copy that was made later.
        ("2026-11-25T02:00:00", 13.1, True),
        ("2026-11-25T02:00:00Z", 5, True),
        ("2026-11-25T02:00:00+05:30", 5, True),
        # Later than the file itself.
        ("2026-11-25T02:00:00", -15.1, False),
        ("2026-11-25T02:00:00Z", -1.1, False),
        ("2026-11-25T02:00:00Z", -0.9, True),
        ("2099-01-01T00:00:00Z", 0, False),
        ("9999-12-31T23:59:59", 0, False),
    ],
)
def test_which_times_in_a_file_are_believed(tmp_path: Path, time: str, later: float, *, believed: bool) -> None:
    (tmp_path / "file").write_text(f'<testsuite timestamp="{time}"/>', encoding="utf-8")
    modified = START + later * HOUR
    os.utime(tmp_path / "file", (0, modified))
    assert (one(tmp_path, "file").time != modified) is believed


def test_a_tool_that_writes_whole_seconds_is_not_older_than_a_job_of_the_same_second(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text('<testsuite timestamp="2026-11-25T02:00:00"/>', encoding="utf-8")
    assert not one(tmp_path, "a.xml", START + 0.9).problem
    assert one(tmp_path, "a.xml", START + 1).problem


def test_limits_are_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.xml").write_text(CASE, encoding="utf-8")
    (tmp_path / "b.xml").write_text(CASE, encoding="utf-8")
    monkeypatch.setattr(loading, "MAX_FILES", 1)
    assert [r.problem for r in read_files(tmp_path, "*.xml")] == ["", "is beyond the limit of 1 files"]
    monkeypatch.setattr(loading, "MAX_FILE", 10)
    assert "more than the limit of 10 bytes" in one(tmp_path, "a.xml").problem
    with (tmp_path / "big.json").open("wb") as file:
        file.truncate((200 << 20) + 1)
    monkeypatch.undo()
    assert one(tmp_path, "big.json").problem == "has 200 MiB, more than the limit of 200 MiB"


def test_neither_queries_nor_rows_are_kept() -> None:
    every = read_files(FIXTURES, "**/*results.json", "**/*.xml", "results/**/*.json")
    assert len(every) > 30
    text = repr(every)
    for secret in ("partial_unexpected", "LINE ", "lost", "select nope", "---,2", "\x1b", "#x1B", "2.0, 2.0"):
        assert secret not in text, secret


@pytest.mark.parametrize(
    ("attributes", "elements", "verdict"),
    [
        ("", "<FAILURE/>", CheckStatus.FAILED),
        ("", "<timeout/>", CheckStatus.ERROR),
        ("", "<j:failure xmlns:j='u'/>", CheckStatus.FAILED),
        ("", "<ignored/>", CheckStatus.SKIPPED),
        ("", "<skipped/><failure/>", CheckStatus.FAILED),
        ("", "<failure/><skipped/>", CheckStatus.FAILED),
        ("", "<failure/><error/>", CheckStatus.ERROR),
        ("", "<error/><failure/>", CheckStatus.ERROR),
        ("", "<flakyFailure/><flakyError/>", CheckStatus.PASSED),
        ("", "<failure/><rerunFailure/>", CheckStatus.FAILED),
        ("", "<system-out>failure</system-out>", CheckStatus.PASSED),
        ('status="notrun"', "", CheckStatus.SKIPPED),
        ('status="run" result="suppressed"', "", CheckStatus.SKIPPED),
        ('status="run" result="Completed"', "", CheckStatus.PASSED),
        ('outcome="failed"', "", CheckStatus.FAILED),
        ('result="undecided"', "", CheckStatus.UNKNOWN),
        ('status="passed" success="perhaps"', "", CheckStatus.UNKNOWN),
    ],
)
def test_what_a_case_means(tmp_path: Path, attributes: str, elements: str, verdict: CheckStatus) -> None:
    text = f'<testsuite><testcase name="a" {attributes}>{elements}</testcase></testsuite>'
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    assert [check.status for check in one(tmp_path, "a.xml").results] == [verdict]


def test_properties_of_outer_suites_hold_too_and_may_come_last(tmp_path: Path) -> None:
    text = (
        "<testsuites><testsuite><testsuite><testcase name='a'><properties><property name='datahub.urn'> u1 </property>"
        "</properties></testcase></testsuite><properties><property name='datahub.urn' value='u2'/></properties>"
        "</testsuite><testsuite><testcase name='b'/></testsuite></testsuites>"
    )
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    assert [check.urns for check in one(tmp_path, "a.xml").results] == [("u1", "u2"), ()]


def test_what_a_pattern_matches_besides_results_is_a_note(tmp_path: Path) -> None:
    shop = FIXTURES / "dbt/shop-1.12"
    for name in ("manifest.json", "build.run_results.json"):
        shutil.copy(shop / name, tmp_path / name)
    (tmp_path / "semantic_manifest.json").write_text('{"metrics": []}', encoding="utf-8")
    (tmp_path / "coverage.xml").write_text("<coverage/>", encoding="utf-8")
    assert [bool(r.problem) for r in read_files(tmp_path, "*.json", "*.xml")] == [False] * 4
    assert one(tmp_path, "coverage.xml").problem
    # A file that is not complete may have been one of results.
    (tmp_path / "coverage.xml").write_text("<cover", encoding="utf-8")
    assert [r.problem.partition(" (")[0] for r in read_files(tmp_path, "*.xml")] == ["is not complete XML"]


def test_a_file_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(CASE, encoding="utf-8")
    assert len(read_files(tmp_path, "a.xml", "./a.xml", "*.xml", "./*.xml", job_start=0)) == 1


def test_a_checkpoint_is_as_old_as_its_validations(tmp_path: Path) -> None:
    times = '{"run_id": {"run_time": "%s"}, "run_results": {"a": {"success": true, "results": [], "meta": %s}}}'
    (tmp_path / "new.json").write_text(
        times % ("2020-01-01T00:00:00Z", '{"run_id": {"run_time": "2026-11-25T03:00:00Z"}}'), encoding="utf-8"
    )
    (tmp_path / "old.json").write_text(times % ("2020-01-01T00:00:00Z", "{}"), encoding="utf-8")
    assert not one(tmp_path, "new.json", START).problem
    assert one(tmp_path, "old.json", START).problem


class Counting:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_a_pattern_is_searched_for_a_limited_time(tmp_path: Path) -> None:
    for number in range(99):
        (tmp_path / f"f{number}").mkdir()
    clock = Counting()
    limits = Limits(what="results", entries=9, clock=clock)
    files = ResultFiles(patterns=["**/*.xml"], folder=tmp_path, confined=True, job_start=0, limits=limits)
    assert [r.problem for r in load(files)] == ["was not read: reading all files may take 60 seconds"]
    assert clock.now < 70


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/r.xml", [".c/r.xml", "a/b/r.xml", "a/r.xml", "r.xml"]),
        ("a/**", ["a/b/r.xml", "a/r.xml"]),
        ("a/**/**/r.xml", ["a/b/r.xml", "a/r.xml"]),
        ("*/r.xml", [".c/r.xml", "a/r.xml"]),
        ("*/*/r.xml", ["a/b/r.xml"]),
        ("./[r].x*", ["r.xml"]),
        ("a/../*.xml", ["a/../r.xml"]),
        ("**/b/*", ["a/b/r.xml"]),
    ],
)
def test_what_patterns_match(tmp_path: Path, pattern: str, found: list[str]) -> None:
    (tmp_path / "circle").symlink_to("circle")  # hides nothing beside it, whatever is listed first
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / ".c").mkdir()
    (tmp_path / "a/loop").symlink_to(tmp_path)
    for name in ("r.xml", ".c/r.xml", "a/r.xml", "a/b/r.xml"):
        (tmp_path / name).write_text(CASE, encoding="utf-8")
    (tmp_path / "round").symlink_to("round")
    assert [r.path for r in read_files(tmp_path, pattern, job_start=0) if not r.path.startswith("a/loop")] == found


MANY_NAMES = "has more than 1,000 names of elements and attributes, or very long ones"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f'<testsuite><testcase name="{"x>" * 700_000}"/></testsuite>', "has a tag or comment of more than 1 MiB"),
        (f"<testsuite><!-- {'x' * 1_300_000} --></testsuite>", "has a tag or comment of more than 1 MiB"),
        (f'<testsuite><testcase name="{"x" * 5000}"/></testsuite>', "has a name of more than 4,000 characters"),
        (f'<testsuite><testcase classname="{"x" * 5000}"/></testsuite>', "has a name of more than 4,000 characters"),
        (f'<testsuite file="{"x" * 5000}"><testcase/></testsuite>', "has a name of more than 4,000 characters"),
        (f"<testsuite>{URN * 101}<testcase/></testsuite>", "names more than 100 datasets for one case or suite"),
        (
            f"<testsuite><testcase>{URN * 101}</testcase></testsuite>",
            "names more than 100 datasets for one case or suite",
        ),
        (
            f"<testsuite>{URN * 60}<testsuite>{URN * 60}<testcase/></testsuite></testsuite>",
            "names more than 100 datasets for one case or suite",
        ),
        ("<testsuite>" + "".join(f"<a{n}/>" for n in range(1000)) + "</testsuite>", MANY_NAMES),
        (f"<testsuite><{'a' * 600_000}/><{'b' * 600_000}/></testsuite>", MANY_NAMES),
        ("<testsuite>" + "<testcase/>" * 10 + "</testsuite>", "is beyond the limit of 9 results in all files together"),
        (dbt_results(*(("test.p.a", "pass"),) * 10), "is beyond the limit of 9 results in all files together"),
        (dbt_results(("test.p." + "x" * 5000, "pass")), "has a name of more than 4,000 characters"),
        (json.dumps({"success": True, "results": [{"type": "a", "kwargs": {"column_list": ["x" * 50] * 100}}]}), ""),
        (json.dumps({"validation_results": [{}] * 10}), "is beyond the limit of 9 results in all files together"),
        (f"<testsuite><system-out>{'x' * 3_000_000}</system-out></testsuite>", ""),
        (f"<testsuite><system-out><![CDATA[{'x' * 3_000_000}]]></system-out></testsuite>", ""),
    ],
    ids=range(17),
)
def test_results_have_limits(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "file").write_text(text, encoding="utf-8")
    limits = Limits(what="results", entries=9)
    [results] = load(ResultFiles(patterns=["file"], folder=tmp_path, confined=True, job_start=0, limits=limits))
    assert results.problem == problem


def test_what_is_kept_is_counted_over_all_files(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(f'<testsuite><testcase name="{name * 3000}"/></testsuite>', encoding="utf-8")
    limits = Limits(what="results", entries=9, kept=8_000)
    files = ResultFiles(patterns=["a", "b", "c"], folder=tmp_path, confined=True, job_start=0, limits=limits)
    more = "has more names and messages than fit into 7.8 KiB, all files together"
    assert [r.problem for r in load(files)] == ["", "", more]
