"""The README and the examples say what the program does."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_gate.cli.main import parse
from incident_gate.datahub.health.reader import BATCH, PARALLEL
from incident_gate.errors import ExitCode
from incident_gate.incident import mark_in
from incident_gate.manifest.grammar import manifest_schema
from incident_gate.manifest.load import load_manifest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
EVERYWHERE = "\n".join([README, *DOCS.values()])
PAGES = [ROOT / "README.md", ROOT / "examples/README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
WORKFLOWS = sorted((ROOT / "examples/workflows").glob("*.yml"))
INPUTS = set(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"])
OUTPUTS = set(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["outputs"])
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", EVERYWHERE, re.MULTILINE | re.DOTALL)
# `main` until there is a release, which tools/release.py sees to.
ACTION = re.compile(r"OWNER/datahub-incident-gate@(main|v\d+(\.\d+)*|[0-9a-f]{40})")
COMMAND = re.compile(
    r"(?<![\w/-])incident-gate ((?:check|raise|resolve|report|doctor|validate|schema|demo)\b[^\n`#|&]*)"
)


def section(heading: str) -> str:
    """The text below a heading, up to the next one."""
    text = re.split(rf"^#+ {heading}$", EVERYWHERE, maxsplit=1, flags=re.MULTILINE)[1]
    return re.split(r"^#+ ", text, maxsplit=1, flags=re.MULTILINE)[0]


def steps_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every step of this action, wherever it stands."""
    if isinstance(value, list):
        for item in value:
            yield from steps_in(item)
    if isinstance(value, dict):
        if "datahub-incident-gate" in str(value.get("uses", "")):
            yield value
        for item in value.values():
            yield from steps_in(item)


def keys_in(schema: Any) -> set[str]:
    """Every key that a JSON Schema knows."""
    if isinstance(schema, list):
        return set().union(*map(keys_in, schema))
    if isinstance(schema, dict):
        return set(schema.get("properties", ())).union(*map(keys_in, schema.values()))
    return set()


def yaml_blocks() -> list[Any]:
    return [yaml.safe_load(text) for language, text in BLOCKS if language == "yaml"]


def assert_usable(step: dict[str, Any]) -> None:
    given = step.get("with", {})
    assert ACTION.fullmatch(step["uses"])
    assert set(given) <= INPUTS
    assert given.get("mode") != "report" or "job-status" in given


def test_every_step_in_the_readme_is_one_of_this_action() -> None:
    steps = list(steps_in(yaml_blocks()))

    assert len(steps) >= 6
    for step in steps:
        assert_usable(step)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_step_in_an_example_is_one_of_this_action(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    steps = list(steps_in(yaml.safe_load(text)))

    assert steps or "incident-gate check" in text or "reusable.yml" in text
    for step in steps:
        assert_usable(step)
    assert set(re.findall(r"steps\.gate\.outputs\.([\w-]+)", text)) <= OUTPUTS


def test_outputs_named_in_the_readme_exist() -> None:
    used = set(re.findall(r"steps\.gate\.outputs\.([\w-]+)", EVERYWHERE))

    assert used
    assert used <= OUTPUTS


def test_every_manifest_in_the_readme_is_valid() -> None:
    manifests = [
        text
        for language, text in BLOCKS
        if language == "yaml" and isinstance(value := yaml.safe_load(text), dict) and {"inputs", "outputs"} & set(value)
    ]

    assert len(manifests) >= 2
    for text in manifests:
        assert load_manifest("docs", text.encode(), date(2026, 11, 23), {"ENV": "PROD"}).warnings == ()


def test_the_readme_shows_every_key_of_a_manifest() -> None:
    shown = DOCS["manifest"] + DOCS["letting-pass"] + DOCS["selecting"]
    assert {key for key in keys_in(manifest_schema()) if not re.search(rf"`{key}`|\b{key}:", shown)} == set()


def anchors_of(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    anchors = anchors_of(text)
    targets = re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", prose)

    for target in filter(None, (part for pair in targets for part in pair)):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif not target.startswith("https://"):
            file, _, anchor = target.partition("#")
            assert (page.parent / file).exists(), target
            assert not anchor or anchor in anchors_of((page.parent / file).read_text(encoding="utf-8")), target


@pytest.mark.parametrize(
    "text",
    [README, *DOCS.values(), *(path.read_text(encoding="utf-8") for path in WORKFLOWS)],
    ids=["README", *DOCS, *(p.stem for p in WORKFLOWS)],
)
def test_commands_are_spelled_as_the_program_takes_them(text: str) -> None:
    # Groovy quotes whole commands: test_ci_recipes runs these.
    text = re.sub(r"^```groovy$.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for command in COMMAND.findall(re.sub(r"^usage: .*$", "", text, flags=re.MULTILINE)):
        if "--help" not in command:
            parse(shlex.split(command))


def test_there_are_commands_to_look_at() -> None:
    assert len(COMMAND.findall(EVERYWHERE)) >= 6


def test_help_texts_are_current() -> None:
    command = [sys.executable, "tools/cli_docs.py", "--check"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)

    assert checked.returncode == 0, checked.stdout


def test_the_readme_is_short_enough_to_read() -> None:
    assert len(README.splitlines()) <= 160


@pytest.mark.parametrize("picture", sorted((ROOT / "docs").glob("*.png")), ids=lambda path: path.name)
def test_every_picture_is_small(picture: Path) -> None:
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 80_000


def test_messages_are_those_of_the_program() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    rows = [line for line in section("Troubleshooting").splitlines() if line.startswith("| `")]
    messages = [message for row in rows for message in re.findall(r"`([^`]+)`", row.split("|")[1])]

    assert len(messages) >= 16
    assert [message for message in messages if message not in source] == []


def test_exit_codes_are_those_of_the_program() -> None:
    told = re.findall(r"^\| (\d) \|", section("Exit codes"), re.MULTILINE)

    assert told == [str(code.value) for code in ExitCode]


def test_numbers_are_those_of_the_program() -> None:
    which = section("Which DataHub")

    assert f"batches of {BATCH}, {PARALLEL} at a time" in which


def test_the_key_line_looks_as_in_datahub() -> None:
    shown = next(text for language, text in BLOCKS if language == "text" and "key" in text).strip()
    mark = mark_in(shown)

    assert mark is not None
    assert mark.line == shown


@pytest.mark.parametrize("folder", ["manifests", "workflows"])
def test_every_example_is_listed(folder: str) -> None:
    listed = re.findall(rf"\({folder}/([\w-]+\.yml)\)", (ROOT / "examples/README.md").read_text(encoding="utf-8"))

    assert sorted(listed) == sorted(path.name for path in (ROOT / "examples" / folder).glob("*.yml"))


def test_files_named_in_the_design_exist() -> None:
    text = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    source = ROOT / "src/incident_gate"
    rooms = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|$", text, flags=re.MULTILINE)
    named = [(cell.strip("`/"), word) for cell, about in rooms for word in re.findall(r"`([a-z_/]+)`", about)]
    files = re.findall(r"`((?:tests/)?[\w/]+\.(?:py|md|yml))`", text)

    assert len(named) >= 50
    assert [(room, word) for room, word in named if not _exists(source / room.split("/")[0], word.strip("/"))] == []
    assert [name for name in files if not any((base / name).exists() for base in (ROOT, source)) and "/" in name] == []


def _exists(folder: Path, name: str) -> bool:
    return (folder / name).is_dir() or (folder / f"{name}.py").is_file() or folder.with_suffix(".py").is_file()
