"""Writes the program's `--help` texts into docs/cli.md; with `--check` it only compares."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs/cli.md"

# A console block whose command asks for help, and what follows the command.
BLOCK = re.compile(
    r"^(```console\n\$ incident-gate(?P<arguments>[^\n]*--help)\n)(?P<text>.*?)(?=^```$)", re.MULTILINE | re.DOTALL
)

RUN = "import sys; from incident_gate.cli.main import main; sys.argv[0] = 'incident-gate'; sys.exit(main())"


def printed(arguments: str) -> str:
    """What the program prints, at a width that the page shows without scrolling."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *shlex.split(arguments)],
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1", "PYTHON_COLORS": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def current(text: str) -> str:
    """The page with every block as it should be."""
    return BLOCK.sub(lambda block: block[1] + printed(block["arguments"]), text)


def main(arguments: list[str]) -> int:
    """Write the blocks, or check that they are current."""
    text = PAGE.read_text(encoding="utf-8")
    if not BLOCK.search(text):
        print("docs/cli.md shows no `$ incident-gate --help` in a console block.")
        return 1
    fresh = current(text)
    if arguments == ["--check"]:
        if fresh != text:
            print("docs/cli.md does not show the current --help; `make docs` writes it.")
        return int(fresh != text)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
