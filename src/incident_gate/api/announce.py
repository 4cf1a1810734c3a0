"""Announce a stage to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from incident_gate.report.model import Report
from incident_gate.settings import RunSettings

if TYPE_CHECKING:
    from incident_gate.notify.announce import Remark


def announce_stage(settings: RunSettings, people: Mapping[str, str], report: Report) -> tuple[Remark, ...]:
    """Notify every service that the settings name.

    Args:
        settings: Which services and events.
        people: The manifest's: a Slack id by an owner's URN.
        report: What happened.

    Returns:
        A remark for each service that did not take its message.
    """
    if not settings.notify.is_used:
        return ()
    from incident_gate.api.channels import announce_on_channels  # noqa: PLC0415 - 8 ms, and most runs notify nobody

    return announce_on_channels(settings, people, report)
