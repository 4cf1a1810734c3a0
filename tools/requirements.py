"""Pins every dependency with its hashes, from what pyproject.toml asks for."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# pyproject.toml names what a user's installation gets. The image gets less, because the action never imports these:
NOT_IN_THE_IMAGE = (
    # actions-toolkit depends on them for its clients of GitHub's API, artifact cache and identity tokens. The gate uses
    # its `command` and `file_command` modules, which import the standard library only. They would add 25 MB.
    "requests",
    "charset-normalizer",
    "urllib3",
    "pygithub",
    "pyjwt",
    "pynacl",
    "cryptography",
    "cffi",
    "pycparser",
    # For httpx's asynchronous client; httpcore looks for it, does without, and starts quicker.
    "anyio",
    # For Pythons older than the image's.
    "typing-extensions",
)


def pin(target: str, python: str, *arguments: str) -> None:
    """Write requirements/<target>.txt for this Python and all newer ones, on every platform."""
    subprocess.run(
        [
            *("uv", "pip", "compile", "--quiet", "--universal", "--upgrade", "--python-version", python),
            # No index address: pip asks whichever it is configured for, and the hashes tell whether that one is honest.
            *("--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"),
            *arguments,
            *("--output-file", f"requirements/{target}.txt", "pyproject.toml"),
        ],
        cwd=ROOT,
        check=True,
    )


def pin_group(group: str) -> None:
    """Write requirements/<group>.txt for a tool that shares no environment with the project."""
    command = [
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--upgrade",
        "--generate-hashes",
        "--no-emit-index-url",
    ]
    subprocess.run(
        [*command, "--no-header", "--no-annotate", "--group", group, "--output-file", f"requirements/{group}.txt"],
        cwd=ROOT,
        check=True,
    )


def repeated(option: str, values: Sequence[str]) -> list[str]:
    """`--option a --option b`."""
    return [argument for value in values for argument in (option, value)]


def main() -> None:
    """Pin everything; each file is bound to the one before, so that all agree."""
    pin("lint", "3.11", "--extra", "sandbox", *repeated("--group", ["build", "test", "bench", "lint"]))
    pin_group("act")
    agreed = ("--constraint", "requirements/lint.txt")
    pin("test", "3.11", "--extra", "sandbox", *repeated("--group", ["build", "test", "bench"]), *agreed)
    pin("demo", "3.11", "--extra", "sandbox", *repeated("--group", ["build"]), *agreed)
    pin("image", "3.13", *repeated("--no-emit-package", NOT_IN_THE_IMAGE), *agreed)


if __name__ == "__main__":
    main()
