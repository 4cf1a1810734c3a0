"""The manifest's own lines: a caret under each mistake, and a block to paste that does what it says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.gate.policy import Conclusion, Decision, Excused, rule_for
from incident_gate.gate.policy import decide as judge
from incident_gate.incident import Assertion, AssertionResult, Health, Incident, Question
from incident_gate.manifest.load import load_manifest
from incident_gate.manifest.model import NO_RULES, NOWHERE, InputEntry, ManifestError, Mistake, Position
from incident_gate.report.manifest_text import block, mistake_text
from incident_gate.report.model import Report
from incident_gate.urn import parse_urn
from tests.helpers.report_samples import NOW, decision, incident, report

A, B, C = (f"urn:li:dataset:(urn:li:dataPlatform:snowflake,shop.{name},PROD)" for name in "abc")
ONE, TWO = "urn:li:incident:0000-1", "urn:li:incident:0000-2"
TODAY = datetime.fromtimestamp(NOW / 1000, UTC).date()
VARIABLES = {"ENV": "PROD"}
RULE = f"- {{incident: '{TWO}', until: 2027-01-01, reason: known}}"


def verdict(text: str) -> list[Decision]:
    """Decide the manifest's inputs, and C, which a selector stands for: each has an incident of its own."""
    manifest = load_manifest("gate.yml", text.encode(), TODAY, VARIABLES)
    entries = list(manifest.inputs)
    if C not in {entry.urn.text for entry in entries}:
        selected = [
            InputEntry(parse_urn(C), s.position, None, s.rules, s.ignore, selected_by=s.label)
            for s in manifest.selectors
        ]
        entries += selected
    return [_decided(entry) for entry in entries]


def _decided(entry: InputEntry) -> Decision:
    found = Incident(f"{ONE}{entry.urn.text[-7]}", entry.urn.text, title="Rows: none # ``` \n- x: y")
    return judge(
        entry,
        Health(entry.urn.text, (found,), answered=frozenset(Question)),
        rule_for(entry.rules, NO_RULES, NO_RULES),
        is_ours=lambda _: False,
    )


def pasted(text: str, block_: str) -> str:
    """Do with each part of the block what its comment says, and write the reasons."""
    lines = text.splitlines()
    for part in re.split(r"^(?=# )", block_.replace("TODO", "moved"), flags=re.MULTILINE)[1:]:
        comment, *added = part.splitlines()
        number = int(found[1]) if (found := re.search(r"line (\d+)", comment)) else 0
        if "replaces line" in comment:
            lines[number - 1 : number] = added
        elif "replaces the URN" in comment:
            urn = re.search(r'urn:li:[^"]+', added[0])
            assert urn
            lines[number - 1] = lines[number - 1].replace(f'"{urn[0]}"', added[0])
        elif "add to the entry" in comment and not added[0].startswith(" "):
            lines[number - 1] = lines[number - 1].replace("}", f", {added[0]}}}")
        elif "add to the entry" in comment:
            end = next((n for n in range(number, len(lines)) if not re.match(r" {4}\s*\S", lines[n])), len(lines))
            lines[end:end] = added
        elif "add to `ignore`" in comment and added[0].startswith("{"):
            lines[number - 1] = lines[number - 1].replace("[", f"[{added[0]}, ")
        elif "add to `ignore`" in comment:
            lines[number:number] = added
        else:
            assert "a new entry at the end of `inputs`" in comment
            end = next((n for n, line in enumerate(lines) if line.startswith("outputs")), len(lines))
            lines[end:end] = added
    return "\n".join(lines) + "\n"


# In a manifest `$${` is the text `${`, and `${` begins a variable.
DOLLAR = A.replace(",PROD", "$${b},PROD")


@pytest.mark.parametrize(
    "text",
    [
        f"inputs:\n  - {A}\n  - {B}  # a comment\noutputs:\n  - {C}\n",
        f"- {A}\n- '{B}'\n",
        f"inputs:\n    -   {A.replace('PROD', '${ENV}')}\n",
        f"inputs:\n  - urn: {A}\n    name: Orders\n\n    min-priority: LOW\n  - {B}\n",
        f"inputs:\n  - urn: {A}\n    ignore:\n      {RULE}\n  - urn: {B}\n    ignore: [{RULE[2:]}]\n",
        f"inputs:\n  - urn: {A}\n    ignore: # none yet\n    {RULE}\n    name: x\n",
        f"inputs:\n  -\n    urn: {A}\n    name: Orders\n",
        f'inputs:\n  - {{urn: "{A}"}}\n',
        f'inputs: ["{A}", "{B}"]\n',
        f"- {DOLLAR}\n",
        f'inputs: ["{DOLLAR}"]\n',
        (
            "inputs:\n  - search: {tags: ['urn:li:tag:x']}\n    min-priority: HIGH\n    assertion-max-age: 30h\n"
            f"outputs:\n  - {A}\n"
        ),
        f"inputs:\n  - name: x\n    urn: {A}\n  - upstream-of: {B}\n    types: [FIELD, SQL]\n",
    ],
)
def test_who_follows_the_comments_lets_the_incidents_pass(text: str) -> None:
    before = verdict(text)
    assert {d.conclusion for d in before} == {Conclusion.BLOCK}

    paste = block(report(*before, manifest_text=text))

    after = verdict(pasted(text, paste))
    assert {d.conclusion for d in after} == {Conclusion.PASS}
    assert {d.entry.urn.text for d in after} == {d.entry.urn.text for d in before}
    assert "until: 2026-06-11" in paste
    # The rules that held still hold.
    assert {d.entry.urn.text: d.entry.rules for d in after} == {d.entry.urn.text: d.entry.rules for d in before}


def block_of(*decisions: Decision, text: str = "") -> str:
    return block(report(*decisions, manifest_text=text))


def on(entry: InputEntry, *incidents: Incident, **fields: object) -> Decision:
    return decision(entry, Conclusion.BLOCK, blocking=incidents, **fields)


NOTED = InputEntry(parse_urn(A), Position(2, 5))


def test_the_block_reads_like_the_manifest() -> None:
    text = f"inputs:\n  - {A}\n"
    assert block_of(on(NOTED, incident(1, NOTED.urn, title="No rows")), text=text) == (
        f"# replaces line 2\n  - urn: {A}\n    ignore:\n      # No rows\n      - incident: urn:li:incident:00000001\n"
        "        until: 2026-06-11\n        reason: TODO"
    )


def test_a_manifest_that_does_not_exist_yet_is_written_whole() -> None:
    of = InputEntry(parse_urn(A), Position(0, 0))
    paste = block_of(on(of, incident(1, of.urn)))
    manifest = load_manifest("new.yml", paste.replace("TODO", "moved").encode(), TODAY)
    assert [entry.ignore[0].incident for entry in manifest.inputs] == ["urn:li:incident:00000001"]


def test_an_assertion_is_ignored_as_one_and_an_expired_rule_is_extended() -> None:
    failing = Assertion("urn:li:assertion:1", A, description="Rows", result=AssertionResult.FAILURE)
    assert "- assertion: urn:li:assertion:1" in block_of(on(NOTED, failing=(failing,)), text=f"inputs:\n  - {A}\n")
    expired = f"inputs:\n  - urn: {A}\n    ignore:\n      - {{incident: {TWO}, until: 2020-01-01, reason: x}}\n"
    assert block_of(on(NOTED, Incident(TWO, A)), text=expired).endswith(f"# extend `until` of {TWO}")


def test_what_a_selector_ignores_goes_on_to_be_ignored() -> None:
    text = f"inputs:\n  - upstream-of: {B}\n    ignore:\n      {RULE}\n"
    [selector] = load_manifest("gate.yml", text.encode(), TODAY).selectors
    of = InputEntry(parse_urn(C), selector.position, ignore=selector.ignore, selected_by="x")
    paste = block_of(on(of, Incident(ONE, C), excused=(Excused(Incident(TWO, C), "known"),)), text=text)
    [entry] = load_manifest("gate.yml", pasted(text, paste).encode(), TODAY).inputs
    assert [(rule.incident, rule.until, rule.reason) for rule in entry.ignore][1] == (TWO, date(2027, 1, 1), "known")


def test_many_are_cut_and_counted_and_odd_urns_left_out() -> None:
    text = f"inputs:\n  - {A}\n"
    many = block_of(on(NOTED, *(incident(n, NOTED.urn) for n in range(130))), text=text)
    assert many.count("- incident:") == 100
    assert many.endswith("# and 30 more")
    assert block_of(on(NOTED, Incident("urn:li:incident:\n- x: y", A), unread=3), text=text) == ""


@given(st.text(max_size=40))
def test_no_title_leaves_its_comment(title: str) -> None:
    text = f"inputs:\n  - {A}\n"
    paste = block_of(on(NOTED, incident(1, NOTED.urn, title=title)), text=text)
    [entry] = load_manifest("gate.yml", pasted(text, paste).encode(), TODAY).inputs
    assert [rule.reason for rule in entry.ignore] == ["moved"]


def errors(text: str, *places: Position) -> str:
    return mistake_text(ManifestError("gate.yml", tuple(Mistake(p, "wrong", "right") for p in places), text=text))


def test_each_mistake_has_its_line_with_a_caret_and_all_are_counted() -> None:
    assert errors("inputs:\r\n  - 表: x\r\n", Position(2, 5), Position(2, 8)) == (
        "gate.yml:2:5: wrong; expected right\n"
        "  2 |   - 表: x\n    |     ^\n"
        "gate.yml:2:8: wrong; expected right\n"
        "  2 |   - 表: x\n    |         ^\n"
        "Found 2 errors."
    )


def test_a_long_line_is_shown_around_the_place() -> None:
    _, line, caret, _ = errors("x" * 500 + "!" + "y" * 500, Position(1, 501)).splitlines()
    assert line[caret.index("^")] == "!"
    assert len(line) < 120
    assert line.endswith("y…")


@given(st.text(max_size=60), st.integers(1, 70))
def test_a_line_is_text_and_no_more(text: str, column: int) -> None:
    shown = errors(text + "##[error]", Position(1, column))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "##[" not in shown


def test_a_file_that_cannot_be_read_has_no_lines() -> None:
    error = ManifestError("gate.yml", (Mistake(NOWHERE, "there is no such file"),), hint="Create it:\n  inputs:")
    assert mistake_text(error) == "gate.yml: there is no such file\nCreate it:\n  inputs:"


def test_report_without_a_manifest_is_a_report() -> None:
    assert block(Report(manifest_path="x", ui_url=None, now_ms=NOW)) == ""
