"""Runs every check that only looks at the code, the workflows, the image file and the queries."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE_FOLDER = ROOT / ".make" / "node"
# GitHub's own parser of workflows and action files, as its editors' extensions use it.
LANGUAGE_SERVICE = "@actions/languageservice@0.3.61"

# With the environment of `make lint`, each tool is the pinned one.
PYTHON = sys.executable

CHECKS: tuple[tuple[str, ...], ...] = (
    ("ruff", "check", "--quiet"),
    ("ruff", "format", "--check", "--quiet"),
    ("mypy", "--no-error-summary"),
    ("vulture",),
    ("deptry", "src"),
    ("yamllint", "--strict", "."),
    ("hadolint", "--config", ".hadolint.yaml", "Dockerfile"),
    ("shellcheck", ".ci/run", "bench/curl_jq.sh"),
    ("check-jsonschema", "--builtin-schema", "vendor.github-actions", "{actions}"),
    ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", "{workflows}"),
    ("check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml"),
    ("zizmor", "--offline", "--strict-collection", "--pedantic", "--quiet", "--no-progress", "."),
    (PYTHON, "tools/readme.py", "--check"),
)


def expanded(check: Iterable[str]) -> list[str]:
    """A check with the names of files in the place of `{actions}` and `{workflows}`."""
    found = {
        "{actions}": [ROOT / "action.yml", *sorted(ROOT.glob(".github/actions/*/action.yml"))],
        "{workflows}": [*sorted(ROOT.glob(".github/workflows/*.yml")), *sorted(ROOT.glob("examples/workflows/*.yml"))],
    }
    return [text for part in check for text in (map(os.fspath, found[part]) if part in found else [part])]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run one check in the project's folder, its output kept."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.fspath(ROOT / "src")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def workflow_parser() -> list[str] | None:
    """The command that asks GitHub's own parser, installed at its first use; None where node or npm is missing."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    if not (NODE_FOLDER / "node_modules/@actions/languageservice").is_dir():
        NODE_FOLDER.mkdir(parents=True, exist_ok=True)
        installing = ["npm", "install", "--silent", "--no-save", "--no-package-lock", "--ignore-scripts"]
        installed = run([*installing, "--prefix", os.fspath(NODE_FOLDER), LANGUAGE_SERVICE])
        if installed.returncode:
            print(f"skipped    GitHub's workflow parser: npm could not install it\n{installed.stdout}")
            return None
    # Node looks for modules beside the script, so the script goes to where they are.
    script = shutil.copy(ROOT / "tools/workflow-parser.mjs", NODE_FOLDER)
    return expanded(["node", os.fspath(script), "{actions}", "{workflows}"])


def main() -> int:
    """Run all checks side by side, say which passed, and show what the others printed; 1 if any failed."""
    commands = [expanded(check) for check in CHECKS]
    parser = workflow_parser()
    if parser:
        commands.append(parser)
    else:
        print("skipped    GitHub's workflow parser: node or npm is missing")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = list(pool.map(run, commands))
    for command, result in zip(commands, results, strict=True):
        shown = " ".join(os.path.relpath(part, ROOT) if part.startswith("/") else part for part in command)
        print(f"{'FAILED' if result.returncode else 'passed':10} {shown}")
        if result.returncode:
            print(result.stdout)
    return int(any(result.returncode for result in results))


if __name__ == "__main__":
    sys.exit(main())
