"""Runs the CI's jobs that use the action on itself, here: act.py ENGINE [JOB...], with ENGINE docker or podman.

Jobs run in containers of the image ACT_IMAGE, which needs bash, curl, node and Python, on this machine's network. Those
about outcomes are left to GitHub: act hands a container action's post stage nothing of what its main stage saved.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JOBS = ("healthy", "blocked")
PYTHON_ACTION = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97"
# The interpreter that is here will do.
PYTHON_STUB = """name: Set up Python
description: Takes the Python that is here.
inputs:
  python-version: {required: false, description: Not looked at.}
runs:
  using: composite
  steps:
    - {shell: bash, run: python3 --version}
"""


@contextmanager
def docker_api(engine: list[str], folder: Path) -> Iterator[str]:
    """The address of an API as Docker's; podman serves one for as long as it is needed."""
    if Path(engine[-1]).name != "podman":
        yield os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        return
    socket = folder / "podman.sock"
    with subprocess.Popen([*engine, "system", "service", "--time=0", f"unix://{socket}"]) as service:
        try:
            for _ in range(100):
                if socket.exists():
                    break
                time.sleep(0.1)
            yield f"unix://{socket}"
        finally:
            service.terminate()


def main(command: str, *jobs: str) -> int:
    """Run the jobs one after the other; 1 if any went otherwise than it should."""
    act = shutil.which("act")
    if not act:
        print("act is not here: `make act` installs it")
        return 1
    image = os.environ.get("ACT_IMAGE", "docker.io/catthehacker/ubuntu:act-24.04")
    failed = []
    with tempfile.TemporaryDirectory() as temporary, docker_api(shlex.split(command), Path(temporary)) as address:
        stub = Path(temporary) / "setup-python"
        stub.mkdir()
        (stub / "action.yml").write_text(PYTHON_STUB)
        for job in jobs or JOBS:
            running = [act, "push", "--workflows", ".github/workflows/ci.yml", "--job", job, "--no-cache-server"]
            running += ["--platform", f"ubuntu-24.04={image}", "--local-repository", f"{PYTHON_ACTION}={stub}"]
            # act gives the job and its container actions the machine's own network.
            running += ["--env", "SANDBOX_HOST=127.0.0.1", "--container-daemon-socket", "-", "--pull=false", "--rm"]
            done = subprocess.run(running, cwd=ROOT, env=os.environ | {"DOCKER_HOST": address}, check=False)
            if done.returncode:
                failed.append(job)
    print(f"failed: {', '.join(failed)}" if failed else "all passed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
