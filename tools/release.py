"""What a release needs to know and to change: release.py check VERSION | notes VERSION | image REFERENCE."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What is true only until there is a release, and the pages that people read.
UNRELEASED = re.compile(
    r"not released|until there is a release|datahub-incident-gate@main|archive/main\.tar\.gz", re.IGNORECASE
)
PAGES = ("README.md", "docs/*.md", "examples/README.md", "examples/*/*.yml", "examples/*/*.py")
ACTION = ROOT / "action.yml"
CHANGELOG = ROOT / "CHANGELOG.md"
PACKAGE = ROOT / "src/incident_gate/__init__.py"


def package_version(source: str) -> str:
    """The version that the package says of itself."""
    found = re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    if not found:
        sys.exit(f"{PACKAGE} has no line __version__ = ...")
    return found[1]


def notes(changelog: str, version: str) -> str:
    """The changelog's section on a version, which must have a date: an undated one is not finished."""
    heading = rf"^## \[?{re.escape(version)}\]? - \d{{4}}-\d\d-\d\d$"
    found = re.search(rf"{heading}\n(.*?)(?=^## |^\[|\Z)", changelog, re.MULTILINE | re.DOTALL)
    if not found or not found[1].strip():
        sys.exit(f"CHANGELOG.md has no section '## {version} - YYYY-MM-DD' that says something.")
    return found[1].strip()


def with_image(action: str, reference: str) -> str:
    """action.yml, running a published image instead of building one in each job."""
    if not re.fullmatch(r"[a-z0-9./_-]+:v\d+\.\d+\.\d+@sha256:[0-9a-f]{64}", reference):
        sys.exit(f"{reference} is not an image's name with a version and a digest.")
    changed, count = re.subn(r"^  image: Dockerfile$", f"  image: docker://{reference}", action, flags=re.MULTILINE)
    if count != 1:
        sys.exit(f"{ACTION} has no line 'image: Dockerfile'.")
    return changed


def check(version: str) -> str:
    """The version, if tag, package and changelog agree on it, and no page says that there is none."""
    packaged = package_version(PACKAGE.read_text(encoding="utf-8"))
    if version != packaged:
        sys.exit(f"The tag says {version}, the package {packaged}.")
    notes(CHANGELOG.read_text(encoding="utf-8"), version)
    if stale := stale_lines():
        sys.exit("These lines are not true of a release:\n" + "\n".join(stale))
    return version


def stale_lines() -> list[str]:
    """Lines of README, docs and examples that are not true once there is a release."""
    return [
        f"{page.relative_to(ROOT)}:{number}: {line.strip()}"
        for pattern in PAGES
        for page in sorted(ROOT.glob(pattern))
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        if UNRELEASED.search(line)
    ]


def main(command: str, argument: str) -> None:
    """Do what the release workflow asks for."""
    match command:
        case "check":
            print(check(argument))
        case "notes":
            print(notes(CHANGELOG.read_text(encoding="utf-8"), argument))
        case "image":
            ACTION.write_text(with_image(ACTION.read_text(encoding="utf-8"), argument), encoding="utf-8")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
