"""What a release needs to know and to change: release.py check VERSION | notes VERSION | image REFERENCE."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
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
    """The version, if tag, package and changelog agree on it."""
    packaged = package_version(PACKAGE.read_text(encoding="utf-8"))
    if version != packaged:
        sys.exit(f"The tag says {version}, the package {packaged}.")
    notes(CHANGELOG.read_text(encoding="utf-8"), version)
    return version


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
