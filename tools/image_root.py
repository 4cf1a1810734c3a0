"""Gathers the root directory of the action's image: an interpreter, its libraries, what the gate imports, nothing else.

Run by the Dockerfile, with the interpreter that the image is to hold: `python image_root.py SOURCE PACKAGES ROOT`.
"""

import compileall
import os
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

# What an installation of Python carries for other purposes. Whatever is not named here is kept, so a new import in the
# gate or in a dependency finds its module unless it belongs to one of these.
LEFT_OUT = (
    # installing, testing, documenting and debugging Python itself
    *("ensurepip", "venv", "zipapp.py", "idlelib", "test", "unittest", "doctest.py", "pydoc.py", "pydoc_data"),
    *("site-packages", "config-*", "lib2to3", "this.py", "antigravity.py", "__phello__*", "_test*", "_xxtest*", "xx*"),
    *("bdb.py", "pdb.py", "profile.py", "pstats.py", "cProfile.py", "trace.py", "tabnanny.py", "_lsprof*", "_pyrepl"),
    *("_ctypes_test*", "tracemalloc.py", "timeit.py", "modulefinder.py", "compileall.py", "pyclbr.py", "code.py"),
    # other systems, terminals, toys
    *("_osx_support.py", "_android_support.py", "_ios_support.py", "_aix_support.py", "nturl2path.py", "msilib"),
    *("tkinter", "_tkinter*", "turtle.py", "turtledemo", "curses", "_curses*", "readline*", "rlcompleter.py"),
    *("webbrowser.py", "cmd.py", "getopt.py", "pty.py", "wave.py", "colorsys.py"),
    # servers, databases, mail and file formats that a client of one HTTP API does not meet
    *("wsgiref", "xmlrpc", "server.py", "socketserver.py", "handlers.py", "config.py", "sqlite3", "_sqlite3*"),
    *("dbm", "_dbm*", "_gdbm*", "shelve.py", "pickle.py", "_pickle*", "_compat_pickle.py", "dom", "sax"),
    *("plistlib.py", "tomllib", "imaplib.py", "poplib.py", "smtplib.py", "ftplib.py", "mailbox.py", "mime"),
    *("_header_value_parser.py", "headerregistry.py", "contentmanager.py", "policy.py"),
    # archives and their compressors, foreign functions, time zones, and what only developers' tools import
    *("tarfile.py", "lzma.py", "_lzma*", "bz2.py", "_bz2*", "ctypes", "_ctypes*", "zoneinfo", "_zoneinfo*"),
    *("pickletools.py", "statistics.py", "configparser.py", "optparse.py", "_pyio.py", "symtable.py", "sched.py"),
    *("fileinput.py", "filecmp.py", "graphlib.py", "_pydecimal.py", "_pydatetime.py"),
    # East Asian codecs: every text that the gate meets is UTF-8
    *("_codecs_*", "_multibytecodec*"),
    # other processes, interpreters and event loops: threads are all that the gate uses
    *("multiprocessing", "_multiprocessing*", "_posixshmem*", "_interp*", "asyncio", "_asyncio*"),
)

# Never imported in a container: the mock DataHub server, tests of dependencies, and what pip left beside the packages.
# METADATA stays: scanners look for it, and junitparser reads its own version there.
PACKAGES_LEFT_OUT = (
    *("sandbox", "tests", "bin", "__pycache__", "*.pyi", "py.typed", "*.pyx", "*.pxd"),
    *("RECORD", "WHEEL", "INSTALLER", "REQUESTED", "top_level.txt", "entry_points.txt", "licenses", "LICENSE*"),
)

EXECUTABLES = {
    "incident-gate": "incident_gate.cli.main:main",
    "incident-gate-action": "incident_gate.action.entry:main",
    "incident-gate-action-post": "incident_gate.action.entry:post",
}

# -I: a job's PYTHONPATH and the like reach the container with the rest of its environment, and the working directory is
# the user's checkout; neither may decide what the gate imports. -B: no bytecode is written.
LAUNCHER = """#!{interpreter} -IB
import sys
from {module} import {function}
sys.exit({function}())
"""

_PT_LOAD = 1

FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\n",
    "etc/group": "root:x:0:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
    "etc/ld.so.conf": "/usr/local/lib\n",
}


def copy_interpreter(root: Path) -> Path:
    """Copy the running interpreter and its standard library; return the copied interpreter."""
    executable = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(library, below(root, library), ignore=shutil.ignore_patterns("__pycache__", *LEFT_OUT))
    target = below(root, executable)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(executable, target)
    return target


def copy_packages(source: Path, packages: Path, root: Path) -> None:
    """Copy the gate and what it depends on to where the interpreter looks for packages."""
    target = below(root, Path(sysconfig.get_path("purelib")))
    ignore = shutil.ignore_patterns(*PACKAGES_LEFT_OUT)
    shutil.copytree(packages, target, ignore=ignore)
    shutil.copytree(source, target / source.name, ignore=ignore)


def copy_shared_libraries(root: Path, interpreter: Path) -> None:
    """Copy every library that the copied binaries load, wherever this architecture and distribution keep it."""
    for library in sorted({found for binary in (interpreter, *root.rglob("*.so")) for found in needed_by(binary)}):
        if library.is_relative_to(root.resolve()):
            continue  # a package brings it, beside the module that needs it
        target = below(root, library)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(library, target)


def needed_by(binary: Path) -> Iterator[Path]:
    """The libraries that the dynamic loader finds for a binary, the loader itself among them."""
    listing = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    if "not found" in listing:
        sys.exit(f"{binary} needs a library that is not here:\n{listing}")
    return map(Path, re.findall(r"(/\S+) \(0x", listing))


def strip_libraries(root: Path) -> None:
    """Cut off what follows the loaded segments of each library: symbols and debugging data, which only tools read.

    `strip` does the same, and a slim image does not have it. PyYAML's extension loses two thirds.
    """
    for library in root.rglob("*.so*"):
        if library.is_symlink():
            continue
        content = bytearray(library.read_bytes())
        if content[:6] != b"\x7fELF\x02\x01":
            continue
        first, size, number = (*struct.unpack_from("<Q", content, 0x20), *struct.unpack_from("<HH", content, 0x36))
        headers = (struct.unpack_from("<IIQQQQ", content, first + i * size) for i in range(number))
        end = max(offset + length for kind, _, offset, _, _, length in headers if kind == _PT_LOAD)
        # No section headers: their offset, number and the index of their names become zero.
        struct.pack_into("<Q", content, 0x28, 0)
        struct.pack_into("<HH", content, 0x3C, 0, 0)
        library.write_bytes(content[:end])


def write_certificates(root: Path) -> None:
    """Split certifi's bundle into a folder of hashed files: OpenSSL reads the one it needs instead of all."""
    folder = root / "etc/ssl/certs"
    folder.mkdir(parents=True)
    [bundle] = root.rglob("certifi/cacert.pem")
    for number, text in enumerate(re.findall(r"-----BEGIN.*?END CERTIFICATE-----\n", bundle.read_text(), re.DOTALL)):
        (folder / f"{number:03}.pem").write_text(text)
    subprocess.run(["openssl", "rehash", folder], check=True)


def write_executables(root: Path) -> None:
    """Write one launcher for each entry point; the kernel starts it, so no shell is needed."""
    folder = root / "usr/local/bin"
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in EXECUTABLES.items():
        module, function = target.split(":")
        launcher = folder / name
        launcher.write_text(
            LAUNCHER.format(interpreter=Path(sys.executable).resolve(), module=module, function=function)
        )
        launcher.chmod(0o755)


def compile_everything(root: Path) -> None:
    """Replace each module by its bytecode: that halves the size, and starting compiles nothing."""
    if not compileall.compile_dir(root, quiet=1, legacy=True, stripdir=os.fspath(root), prependdir="/", workers=0):
        sys.exit("Some modules did not compile.")
    for module in root.rglob("*.py"):
        module.unlink()


def below(root: Path, path: Path) -> Path:
    """Where an absolute path lies in the new root."""
    return root / path.relative_to("/")


def write_files(root: Path, files: Iterable[tuple[str, str]]) -> None:
    """Write the few files that a C library looks for."""
    for name, text in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    temporary = root / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)


def main(source: str, packages: str, root: str) -> None:
    """Gather it all."""
    target = Path(root)
    interpreter = copy_interpreter(target)
    copy_packages(Path(source), Path(packages), target)
    copy_shared_libraries(target, interpreter)
    strip_libraries(target)
    write_certificates(target)
    write_executables(target)
    write_files(target, FILES.items())
    compile_everything(target)
    subprocess.run(["ldconfig", "-r", target], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
