"""Draws the README's picture: the job summary of a blocked run, as GitHub shows it.

The run is a real one against the stand-in DataHub. Needs chromium on the path, and Pillow beside the tests' packages:
    .make/test/bin/python -m pip install pillow
    .make/test/bin/python tools/picture.py docs/blocked.png
With `--log` it prints the same run's log instead, for the README.
"""

import io
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import cmarkgfm  # type: ignore[import-untyped]

from incident_gate.action.stage import Stage
from incident_gate.sandbox import Sandbox, Store

TABLE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,shop.public.{},PROD)"
CUSTOMERS = "urn:li:dataset:(urn:li:dataPlatform:dbt,shop.customers,PROD)"
MANIFEST = f"""\
inputs:
  - {TABLE.format("orders")}
  - urn: {CUSTOMERS}
    name: Customers
  - urn: {TABLE.format("payments")}
    min-priority: HIGH
  - {TABLE.format("order_itmes")}
  - {TABLE.format("products")}
  - {TABLE.format("stores")}
outputs:
  - {TABLE.format("revenue_daily")}
"""
UI = "https://datahub.example.com"
HOUR = 3_600_000
WIDTH = 920

# What github.com's own style sheet makes of these elements in a job summary.
STYLE = """
body { margin: 0; padding: 20px 28px 12px; color: #1f2328; background: #fff; border: 1px solid #d1d9e0;
       font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", Helvetica, Arial, sans-serif; }
h2 { font-size: 1.5em; margin: 0 0 16px; padding-bottom: .3em; border-bottom: 1px solid #d1d9e0b3; }
h3 { font-size: 1.25em; margin: 20px 0 12px; }
p { margin: 0 0 14px; }
a { color: #0969da; text-decoration: underline; text-underline-offset: .2rem; }
code { font: 85% "Liberation Mono", monospace; padding: .2em .4em; background: #818b981f; border-radius: 6px; }
table { border-collapse: collapse; margin-bottom: 14px; }
th, td { padding: 6px 13px; border: 1px solid #d1d9e0; text-align: left; }
tr:nth-child(2n) td { background: #f6f8fa; }
"""


def fill(store: Store, now_ms: int) -> None:
    """Put into DataHub what the run meets."""
    for name in ("orders", "customers", "payments", "products", "stores", "revenue_daily"):
        store.add_asset(TABLE.format(name))
    store.add_asset(CUSTOMERS, siblings=[TABLE.format("customers")])
    for name, title, kind, priority, hours in (
        ("orders", "No rows since yesterday, 22:00", "FRESHNESS", 0, 3),
        ("customers", "4 % of e-mail addresses are empty", "FIELD", 1, 30),
        ("payments", "Row count 2 % below normal", "VOLUME", 3, 9),
    ):
        # Half an hour more than the age that is shown, so that the picture is the same however long this takes.
        created = now_ms - hours * HOUR - HOUR // 2
        store.raise_incident(TABLE.format(name), title=title, type=kind, priority=priority, created_ms=created)


def blocked_run() -> tuple[str, str]:
    """The log and the job summary of a step that blocks."""
    with tempfile.TemporaryDirectory() as folder, Sandbox.start() as server:
        fill(server.store, time.time_ns() // 1_000_000)
        workspace = Path(folder)
        (workspace / ".github").mkdir()
        (workspace / ".github/incident-gate.yml").write_text(MANIFEST, encoding="utf-8")
        summary = workspace / "summary.md"
        environment: Mapping[str, str] = {
            "GITHUB_WORKSPACE": folder,
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_OUTPUT": str(workspace / "output"),
            "INPUT_DATAHUB-URL": server.url,
            "INPUT_DATAHUB-TOKEN": server.token,
            "INPUT_DATAHUB-UI-URL": UI,
        }
        stdout = io.StringIO()
        Stage(environment=environment, stdout=stdout).main()
        # What the runner shows: no line that is a command to it.
        log = "".join(line for line in stdout.getvalue().splitlines(keepends=True) if not line.startswith("::"))
        return log, summary.read_text(encoding="utf-8")


def page(summary: str) -> str:
    """The summary as a page of HTML, with GitHub's renderer and the look of its pages."""
    body = cmarkgfm.github_flavored_markdown_to_html(summary, cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE)
    return f"<!doctype html><meta charset=utf-8><title>Job summary</title><style>{STYLE}</style>{body}"


def draw(html: str, picture: Path) -> None:
    """Photograph the page at its own height."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        raise SystemExit("tools/picture.py needs chromium.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "summary.html"
        measure = "<script>document.title = document.documentElement.offsetHeight</script>"
        file.write_text(html + measure, encoding="utf-8")
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
        ]
        measuring = [browser, *options, f"--window-size={WIDTH},100", "--dump-dom", file.as_uri()]
        dom = subprocess.run(measuring, capture_output=True, text=True, check=True).stdout
        height = re.search(r"<title>(\d+)</title>", dom)
        size = f"--window-size={WIDTH},{height[1] if height else 600}"
        shot = f"--screenshot={picture.resolve()}"
        drawing = [browser, *options, size, "--force-device-scale-factor=1.5", shot, file.as_uri()]
        subprocess.run(drawing, capture_output=True, check=True)


def shrink(picture: Path) -> None:
    """Write it again in few colours: a page of text has no more, and a third of the size."""
    from PIL import Image  # noqa: PLC0415 - for the picture only, the log needs none

    with Image.open(picture) as drawn:
        reduced = drawn.convert("RGB").quantize(64, dither=Image.Dither.NONE)
    reduced.save(picture, optimize=True)


def main(arguments: list[str]) -> int:
    """Draw the picture, or print the log."""
    log, summary = blocked_run()
    if arguments == ["--log"]:
        print(log, end="")
        return 0
    picture = Path(arguments[0] if arguments else "docs/blocked.png")
    picture.parent.mkdir(exist_ok=True)
    draw(page(summary), picture)
    shrink(picture)
    print(f"{picture}: {picture.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
