"""The tutorial, run as it is written."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from incident_gate.sandbox import Sandbox
from incident_gate.sandbox.seed import sample_seed

PAGE = (Path(__file__).parents[2] / "docs/tutorial.md").read_text(encoding="utf-8")
# A command goes on over the lines of its quoted text, or to the end of its here-document.
COMMAND = re.compile(r"^\$ ([^\n]*<<END\n.*?\nEND|(?:[^'\n]|'[^']*')*)$", re.MULTILINE | re.DOTALL)


def test_tutorial_runs_as_written(tmp_path: Path) -> None:
    serve, *blocks = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    commands = [command for block in blocks for command in COMMAND.findall(block)]
    shown = [line for block in blocks for line in COMMAND.sub("", block).splitlines() if line not in {"", "..."}]
    (tmp_path / ".venv/bin").mkdir(parents=True)
    gate = tmp_path / ".venv/bin/incident-gate"
    gate.write_text(
        f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c 'from incident_gate.cli.main import main; main()' \"$@\"\n"
    )
    gate.chmod(0o755)

    assert serve == "$ .venv/bin/incident-gate sandbox\n"
    with Sandbox.start(seed=sample_seed) as server:
        script = "\n".join(commands).replace("http://127.0.0.1:9002", server.url)
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )

    printed = iter(ended.stdout.splitlines())
    assert [line for line in shown if line not in printed] == []
    assert shown.count("exit code 1") == 3
    assert not (tmp_path / "gate.yml").exists()
