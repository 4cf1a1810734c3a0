"""What a hostile server can make the gate hold in memory, measured on the real program."""

import gzip
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.gating import tables
from tests.helpers.loopback import listening, read_head

pytestmark = [pytest.mark.load, pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")]

MIB = 1 << 20
MOST = 250 * MIB
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


# The peak of a child's own memory: what `wait4` reports includes that of its parent before the fork.
PROGRAM = """
import os, sys
from importlib.metadata import entry_points

def leave(code, leave=os._exit):
    with open("/proc/self/status") as status:
        peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    os.write(2, f"peak {peak}".encode())
    leave(code)

os._exit = leave
[script] = entry_points(group="console_scripts", name="incident-gate")
try:
    script.load()()
except SystemExit as end:
    sys.stdout.flush()
    leave(end.code or 0)
"""


def run(tmp_path: Path, answer: Callable[[socket.socket], None], *, inputs: int, timeout: int = 20) -> tuple[int, str]:
    """Gate some inputs; the peak of resident memory in bytes, and what was printed."""
    manifest = tmp_path / "gate.yml"
    manifest.write_text("".join(f'- "{urn}"\n' for urn in tables(inputs)))

    def serve(client: socket.socket) -> None:
        read_head(client)
        answer(client)

    with listening(serve) as port:
        command = [sys.executable, "-c", PROGRAM, "check", str(manifest), "--timeout", str(timeout)]
        environment = {
            "DATAHUB_GMS_URL": f"http://127.0.0.1:{port}",
            "DATAHUB_GMS_TOKEN": "some-secret-token",
            "PATH": os.environ["PATH"],
            "COLUMNS": "200",
        }
        ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    printed, _, peak = (ended.stdout + ended.stderr).rpartition("peak ")
    return int(peak) * 1024, " ".join(printed.split())  # lines break anywhere


def stream(client: socket.socket, first: bytes, filler: bytes, size: int) -> None:
    client.sendall(HEAD + b"\r\n" + first)
    block = filler * (64 * 1024 // len(filler))
    for _ in range(size // len(block)):
        client.sendall(block)


def test_answers_beyond_the_limit_do_not_add_up(tmp_path: Path) -> None:
    peak, printed = run(tmp_path, lambda c: stream(c, b'{"data": {"x": "', b"x", 33 * MIB), inputs=250)

    assert "MiB in one answer" in printed
    assert peak < MOST


def test_answers_that_break_off_do_not_add_up(tmp_path: Path) -> None:
    def answer(client: socket.socket) -> None:
        client.sendall(HEAD + b"Content-Length: 40000000\r\n\r\n" + b'{"data": {"x": "')
        for _ in range(11 * 16):
            client.sendall(b"x" * 64 * 1024)

    peak, printed = run(tmp_path, answer, inputs=250, timeout=5)

    assert "broke" in printed
    assert peak < MOST


@pytest.mark.parametrize(("filler", "size"), [(b"{},", 20), (b"{},", 7), (b"[],", 7), (b"1.5,", 7), (b'{"a":{}},', 7)])
def test_elements_are_counted_before_they_are_objects(tmp_path: Path, size: int, filler: bytes) -> None:
    peak, printed = run(tmp_path, lambda c: stream(c, b'{"data":{"entities":[', filler, size * MIB), inputs=1)

    assert "in one answer" in printed
    assert peak < MOST


def test_encoded_answer_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(gzip.compress(b" " * 64 * MIB))

    def answer(client: socket.socket) -> None:
        client.sendall(HEAD + b"Content-Encoding: gzip, gzip\r\n\r\n" + bomb)

    peak, printed = run(tmp_path, answer, inputs=1)

    assert "sends an encoded answer" in printed
    assert peak < MOST / 2


def test_wide_characters_take_no_more_than_the_limit(tmp_path: Path) -> None:
    filler = '"\N{PILE OF POO}\N{PILE OF POO}\N{PILE OF POO}\N{PILE OF POO}":1,'.encode()
    peak, _ = run(
        tmp_path, lambda c: stream(c, b'{"data":{"x":"' + b"y" * 9 * MIB + b'",', filler, MIB), inputs=250, timeout=4
    )

    assert peak < MOST
