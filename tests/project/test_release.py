"""What a release checks and changes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "0123456789abcdef" * 4
CHANGELOG = """# Changelog

## 1.2.0 - 2026-12-01

### Added

- The newest thing.

## 1.1.0 - 2026-11-01

- An older thing.

## 1.0.0 - unreleased

- Not finished.
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project at version 1.2.0."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/release.py", tmp_path / "tools")
    shutil.copy(ROOT / "action.yml", tmp_path)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    package = tmp_path / "src/incident_gate/__init__.py"
    package.parent.mkdir(parents=True)
    package.write_text('"""A package."""\n\n__version__ = "1.2.0"\n')
    return tmp_path


def release(project: Path, command: str, argument: str) -> subprocess.CompletedProcess[str]:
    script = project / "tools/release.py"
    return subprocess.run([sys.executable, script, command, argument], capture_output=True, text=True, check=False)


def test_tag_that_agrees_with_package_and_changelog_is_released(project: Path) -> None:
    assert release(project, "check", "1.2.0").stdout == "1.2.0\n"


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1.1.0", "The tag says 1.1.0, the package 1.2.0."),
        ("1.2", "The tag says 1.2, the package 1.2.0."),
    ],
)
def test_tag_of_another_version_is_refused(project: Path, version: str, said: str) -> None:
    refused = release(project, "check", version)

    assert refused.returncode == 1
    assert said in refused.stderr


def test_undated_section_is_not_released(project: Path) -> None:
    (project / "src/incident_gate/__init__.py").write_text('__version__ = "1.0.0"\n')

    refused = release(project, "check", "1.0.0")

    assert refused.returncode == 1
    assert "CHANGELOG.md has no section '## 1.0.0 - YYYY-MM-DD'" in refused.stderr


@pytest.mark.parametrize("line", ["> Not released yet: use", "- uses: OWNER/datahub-incident-gate@main # first"])
@pytest.mark.parametrize("page", ["README.md", "docs/recipes.md", "examples/workflows/nightly.yml"])
def test_page_that_is_not_true_of_a_release_is_refused(project: Path, page: str, line: str) -> None:
    (project / page).parent.mkdir(parents=True, exist_ok=True)
    (project / page).write_text(f"Title\n\n{line}\n")

    refused = release(project, "check", "1.2.0")

    assert refused.returncode == 1
    assert f"{page}:3: {line}" in refused.stderr


def test_notes_are_one_versions_section(project: Path) -> None:
    assert release(project, "notes", "1.2.0").stdout == "### Added\n\n- The newest thing.\n"


def test_released_action_runs_the_published_image(project: Path) -> None:
    before = yaml.safe_load((project / "action.yml").read_text())

    assert release(project, "image", f"ghcr.io/acme/gate:v1.2.0@{DIGEST}").returncode == 0

    after = yaml.safe_load((project / "action.yml").read_text())
    assert after["runs"]["image"] == f"docker://ghcr.io/acme/gate:v1.2.0@{DIGEST}"
    before["runs"]["image"] = after["runs"]["image"]
    assert after == before


@pytest.mark.parametrize("reference", ["ghcr.io/acme/gate:v1.2.0", f"ghcr.io/Acme/gate:v1.2.0@{DIGEST}", f"x@{DIGEST}"])
def test_image_without_version_and_digest_is_refused(project: Path, reference: str) -> None:
    before = (project / "action.yml").read_text()

    assert release(project, "image", reference).returncode == 1
    assert (project / "action.yml").read_text() == before
