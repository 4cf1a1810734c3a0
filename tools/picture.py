"""Draws the pictures of the documentation: what one blocked run leaves in GitHub and Slack.

The run is a real one against stand-ins. Needs chromium on the path, and Pillow beside the tests' packages:
    .make/test/bin/python -m pip install pillow
    .make/test/bin/python -m tools.picture docs
With `--log` it prints the same run's log instead, for the README.
"""

import contextlib
import html
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cmarkgfm  # type: ignore[import-untyped]
from tests.helpers.services import GitHubStandIn, SlackStandIn, serving

from incident_gate.action.stage import Stage
from incident_gate.cli.main import run
from incident_gate.sandbox import Sandbox, Store

TABLE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,shop.public.{},PROD)"
CUSTOMERS = "urn:li:dataset:(urn:li:dataPlatform:dbt,shop.customers,PROD)"
ANA, PLATFORM = "urn:li:corpuser:ana", "urn:li:corpGroup:platform"
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
people:
  {ANA}: U0ANA
"""
UI = "https://datahub.example.com"
HOUR = 3_600_000
WIDTH = 920
SLACK_WIDTH = 620

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


SLACK_STYLE = """
body { margin: 0; padding: 14px 20px 8px; color: #1d1c1d; background: #fff; border: 1px solid #ddd;
       font: 15px/1.46 Lato, "Liberation Sans", Helvetica, Arial, sans-serif; }
h3 { font-size: 18px; margin: 8px 0; }
p { margin: 6px 0; }
a { color: #1264a3; text-decoration: none; }
button { font: bold 13px inherit; padding: 4px 12px; border: 1px solid #bbb; border-radius: 4px; background: #fff; }
small { background: #ddd; color: #616061; padding: 1px 3px; border-radius: 2px; font-size: 10px; }
.mention { background: #e8f5fa; color: #1264a3; padding: 0 2px; border-radius: 3px; }
"""


def fill(store: Store, now_ms: int) -> None:
    """Put into DataHub what the run meets."""
    for name in ("orders", "customers", "payments", "products", "stores", "revenue_daily"):
        store.add_asset(TABLE.format(name))
    store.add_asset(CUSTOMERS, siblings=[TABLE.format("customers")])
    for name, title, kind, priority, hours in (
        ("orders", "No rows since yesterday, 22:00", "FRESHNESS", 0, 3),
        ("customers", "4% of e-mail addresses are empty", "FIELD", 1, 30),
        ("payments", "Row count 2% below normal", "VOLUME", 3, 9),
    ):
        # Half an hour more than the age that is shown, so that the picture is the same however long this takes.
        created = now_ms - hours * HOUR - HOUR // 2
        store.raise_incident(TABLE.format(name), title=title, type=kind, priority=priority, created_ms=created)
    store.add_asset(ANA, title="Ana Lopez")
    store.add_asset(PLATFORM, title="Data Platform")
    store.add_owner(TABLE.format("orders"), ANA)
    store.add_owner(CUSTOMERS, PLATFORM)


class Blocked(NamedTuple):
    """What a blocked run leaves: log, terminal, job summary, pull request comment and the message in Slack."""

    log: str
    terminal: str
    summary: str
    comment: str
    message: Mapping[str, Any]


def blocked_run() -> Blocked:
    """Run a step that blocks."""
    slack, github = SlackStandIn(), GitHubStandIn()
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox.start() as server,
        serving(slack) as to,
        serving(github) as api,
    ):
        fill(server.store, time.time_ns() // 1_000_000)
        workspace = Path(folder)
        (workspace / ".github").mkdir()
        (workspace / ".github/incident-gate.yml").write_text(MANIFEST, encoding="utf-8")
        (workspace / "event.json").write_text(json.dumps({"pull_request": {"number": 3}}), encoding="utf-8")
        summary = workspace / "summary.md"
        environment: Mapping[str, str] = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": api,
            "GITHUB_GRAPHQL_URL": f"{api}/graphql",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(workspace / "event.json"),
            "GITHUB_JOB": "build",
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_RUN_ID": "4711",
            "GITHUB_RUN_NUMBER": "12",
            "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
            "GITHUB_WORKFLOW": "Nightly",
            "GITHUB_WORKSPACE": folder,
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_OUTPUT": str(workspace / "output"),
            "GITHUB_ENV": str(workspace / "env"),
            "INPUT_DATAHUB-URL": server.url,
            "INPUT_DATAHUB-TOKEN": server.token,
            "INPUT_DATAHUB-UI-URL": UI,
            "INPUT_NOTIFY-ON": "blocked",
            "INPUT_SLACK-WEBHOOK-URL": to + slack.webhook_path,
            "INPUT_COMMENT": "true",
            "INPUT_GITHUB-TOKEN": github.token,
        }
        stdout = io.StringIO()
        Stage(environment=environment, stdout=stdout).main()
        # What the runner shows: no line that is a command to it.
        log = "".join(line for line in stdout.getvalue().splitlines(keepends=True) if not line.startswith("::"))
        terminal = io.StringIO()
        command_line = {"DATAHUB_GMS_URL": server.url, "DATAHUB_GMS_TOKEN": server.token, "FORCE_COLOR": "1"}
        with contextlib.chdir(workspace):
            run(["check", "--datahub-ui-url", UI], command_line, terminal, io.StringIO())
        return Blocked(
            log, terminal.getvalue(), summary.read_text(encoding="utf-8"), github.bodies[0], slack.messages[0]
        )


def page(summary: str) -> str:
    """The summary as a page of HTML, with GitHub's renderer and the look of its pages."""
    body = cmarkgfm.github_flavored_markdown_to_html(summary, cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE)
    return f"<!doctype html><meta charset=utf-8><title>Job summary</title><style>{STYLE}</style>{body}"


def slack_page(message: Mapping[str, Any]) -> str:
    """The message as Slack shows it, as far as a page of HTML goes."""
    shown = []
    for block in message["blocks"]:
        if block["type"] == "actions":
            shown += [f"<p><button>{html.escape(e['text']['text'])}</button></p>" for e in block["elements"]]
            continue
        text = block["text"]["text"]
        if block["type"] == "header":
            shown.append(f"<h3>{html.escape(text)}</h3>")
            continue
        # The text is escaped already; what is left between angle brackets are links and mentions.
        text = re.sub(r"<(https?:[^|>]+)\|([^>]*)>", r'<a href="#">\2</a>', text)
        text = re.sub(r"<@\w+>", '<span class="mention">@Ana Lopez</span>', text)
        text = re.sub(r"\*(<a.*?</a>|[^*<]+)\*", r"<b>\1</b>", text).replace("\n", "<br>")
        shown.append(f"<p>{text}</p>")
    head = "<p><b>DataHub Incident Gate</b> <small>APP</small></p>"
    return f"<!doctype html><meta charset=utf-8><title>Slack</title><style>{SLACK_STYLE}</style>{head}{''.join(shown)}"


def terminal_page(text: str) -> str:
    """What the command line prints in colours, as a dark terminal shows it."""
    colours = {"1;31": "#ff7b72;font-weight:bold", "1": "inherit;font-weight:bold", "2": "#8b949e", "1;33": "#d29922"}
    shown = re.sub(
        r"\x1b\[([0-9;]*)m(.*?)\x1b\[0m",
        lambda found: f'<span style="color:{colours.get(found[1], "inherit")}">{found[2]}</span>',
        html.escape(text.strip()),
    )
    style = "pre { font: 13px/1.45 'DejaVu Sans Mono', monospace; white-space: pre-wrap; word-break: break-all; }"
    style += "body { margin: 0; padding: 12px 18px; color: #e6edf3; background: #0d1117; }"
    return f"<!doctype html><meta charset=utf-8><title>Terminal</title><style>{style}</style><pre>{shown}</pre>"


def draw(page_of: str, picture: Path, width: int = WIDTH) -> None:
    """Photograph the page at its own height."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        raise SystemExit("tools/picture.py needs chromium.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "summary.html"
        measure = "<script>document.title = document.documentElement.offsetHeight</script>"
        file.write_text(page_of + measure, encoding="utf-8")
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
        ]
        measuring = [browser, *options, f"--window-size={width},100", "--dump-dom", file.as_uri()]
        dom = subprocess.run(measuring, capture_output=True, text=True, check=True).stdout
        height = re.search(r"<title>(\d+)</title>", dom)
        size = f"--window-size={width},{height[1] if height else 600}"
        shot = f"--screenshot={picture.resolve()}"
        drawing = [browser, *options, size, "--force-device-scale-factor=1.5", shot, file.as_uri()]
        subprocess.run(drawing, capture_output=True, check=True)


def shrink(picture: Path) -> None:
    """Write it again in few colours: a page of text has no more, and a third of the size.

    The palette is that of the page, so the few bright colours of its signs are among it.
    """
    from PIL import Image  # noqa: PLC0415 - for the picture only, the log needs none

    with Image.open(picture) as drawn:
        reduced = drawn.convert("RGB").quantize(255, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    reduced.save(picture, optimize=True)


def main(arguments: list[str]) -> int:
    """Draw the pictures, or print the log."""
    blocked = blocked_run()
    if arguments == ["--log"]:
        print(blocked.log, end="")
        return 0
    folder = Path(arguments[0] if arguments else "docs")
    drawings = (
        ("blocked.png", page(blocked.summary), WIDTH),
        ("comment.png", page(blocked.comment), WIDTH),
        ("slack.png", slack_page(blocked.message), SLACK_WIDTH),
        ("terminal.png", terminal_page(blocked.terminal), WIDTH),
    )
    for name, shown, width in drawings:
        draw(shown, folder / name, width)
        shrink(folder / name)
        print(f"{folder / name}: {(folder / name).stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
