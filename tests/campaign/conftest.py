"""The closing line of `make campaign`."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what all parts of the campaign of tokens saw together."""
    total: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, figures in report.user_properties:
                if name == "tally" and isinstance(figures, dict):
                    total.update(figures)
    if total:
        terminalreporter.write_line(", ".join(f"{number:,} {name}" for name, number in total.items()))
