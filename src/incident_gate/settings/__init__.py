"""Settings of one run: every option once, and the value that all of them make."""

from incident_gate.settings.model import Notify, RunSettings, Waiting
from incident_gate.settings.options import (
    DEFAULT_MANIFEST,
    DEFAULT_TIMEOUT,
    OPTIONS,
    Mode,
    OptionScope,
    options_of,
)
from incident_gate.settings.parse import ReportFile
from incident_gate.settings.read import content_of, manifest_of, read_settings, secrets_of

__all__ = [
    "DEFAULT_MANIFEST",
    "DEFAULT_TIMEOUT",
    "OPTIONS",
    "Mode",
    "Notify",
    "OptionScope",
    "ReportFile",
    "RunSettings",
    "Waiting",
    "content_of",
    "manifest_of",
    "options_of",
    "read_settings",
    "secrets_of",
]
