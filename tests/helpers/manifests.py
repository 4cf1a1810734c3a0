"""Manifests as text: loaded on a fixed day, or refused with every mistake on a line."""

from __future__ import annotations

from datetime import date

import pytest

from incident_gate.manifest.load import load_manifest
from incident_gate.manifest.model import Manifest, ManifestError

TODAY = date(2026, 11, 23)
DAILY = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders_daily,PROD)"


def load(text: str, **variables: str) -> Manifest:
    """The manifest, without the text that it keeps for reports."""
    return load_manifest("gate.yml", text.encode(), TODAY, variables)._replace(text="")


def mistakes(text: str, **variables: str) -> list[str]:
    """Every mistake, as `gate.yml:line:column: what is wrong`."""
    with pytest.raises(ManifestError) as caught:
        load(text, **variables)
    return str(caught.value).splitlines()
