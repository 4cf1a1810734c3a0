"""Report files: each written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from errno import EEXIST
from importlib import import_module
from pathlib import Path

from incident_gate.files import OutsideError, locate
from incident_gate.report.model import Report
from incident_gate.settings.parse import STANDARD_OUTPUT, ReportFile
from incident_gate.text import quote

# Each format's name, and its module, whose `chunks` write it; it is imported when its format is asked for.
_FORMATS = {"json": ("JSON", "json"), "junit": ("JUnit", "junit"), "markdown": ("Markdown", "summary")}


def write_reports(
    report: Report, files: Sequence[ReportFile], *, workspace: Path | None, print_text: Callable[[str], None]
) -> Iterator[str]:
    """Write the reports, and return a warning for each that could not be written: the verdict does not depend on it.

    Paths must stay below the `workspace`, unless it is None. `print_text` prints what goes to standard output.
    """
    for file in files:
        name, module = _FORMATS[file.format]
        failed = f"The {name} report was not written"
        try:
            chunks: Iterable[str] = import_module(f"incident_gate.report.{module}").chunks(report)
            if file.path == STANDARD_OUTPUT:
                print_text("".join(chunks))
            else:
                _write(locate(file.path, workspace), chunks)
        except OutsideError as error:
            yield f"{failed}: {file.path} {error}."
        except IsADirectoryError:
            yield f"{failed}: {quote(file.path)} is a folder. Give the path of a file."
        except Exception as error:  # noqa: BLE001 - no report is worth a verdict
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            yield f"{failed} to {file.path}: {reason}."


def _write(target: Path, chunks: Iterable[str]) -> None:
    target = Path(os.path.realpath(target))
    if target.exists() and not target.is_file():
        # Before anything is written beside it, which may be outside of the workspace. A device would be replaced.
        raise IsADirectoryError if target.is_dir() else FileExistsError(EEXIST, "Is not a regular file")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("x", encoding="utf-8", errors="replace", newline="\n") as file:
            file.writelines(chunks)
        os.replace(draft, target)  # noqa: PTH105 - a new file beside it, so that nobody reads half of one
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
