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

# Each format's module, whose `chunks` write it; it is imported when its format is asked for.
_NAMES = {"json": "JSON", "junit": "JUnit", "markdown": "Markdown"}
_MODULES = {"json": "json", "junit": "junit", "markdown": "summary"}


def write_reports(
    report: Report, files: Sequence[ReportFile], *, workspace: Path | None, print_text: Callable[[str], None]
) -> Iterator[str]:
    """Write the reports.

    Args:
        report: What to write.
        files: The formats, each with its path.
        workspace: The folder that paths must stay below; None where the user may name any file.
        print_text: Prints the report whose path is standard output.

    Yields:
        A warning for each report that could not be written. The verdict does not depend on them.
    """
    for file in files:
        try:
            chunks = _rendered(report, file.format)
            if file.path == STANDARD_OUTPUT:
                print_text("".join(chunks))
            else:
                _write(locate(file.path, workspace), chunks)
        except OutsideError as error:
            yield f"{_failed(file)}: {file.path} {error}."
        except IsADirectoryError:
            yield f"{_failed(file)}: {quote(file.path)} is a folder. Give the path of a file."
        except Exception as error:  # noqa: BLE001 - no report is worth a verdict
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            yield f"{_failed(file)} to {file.path}: {reason}."


def _failed(file: ReportFile) -> str:
    return f"The {_NAMES[file.format]} report was not written"


def _rendered(report: Report, form: str) -> Iterable[str]:
    render: Callable[[Report], Iterable[str]] = import_module(f"incident_gate.report.{_MODULES[form]}").chunks
    return render(report)


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
