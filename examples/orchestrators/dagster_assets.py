"""Dagster: a blocking asset check as the gate, and incidents on the output when an asset fails.

The package must be installed where the code runs:
pip install https://github.com/OWNER/datahub-incident-gate/archive/main.tar.gz
"""

import os

import dagster as dg

from incident_gate import BlockedError, Settings, check, report_outcome

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.orders,PROD)"
REVENUE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.revenue_daily,PROD)"


def settings() -> Settings:
    """The settings of check and outcome; `incident_key` identifies the incidents of this asset."""
    return Settings(
        datahub_url=os.environ["DATAHUB_GMS_URL"],
        datahub_token=os.environ["DATAHUB_GMS_TOKEN"],
        inputs=[ORDERS],
        outputs=[REVENUE],
        incident_key="dagster.revenue_daily",
    )


@dg.asset
def orders() -> None:
    """Load the orders."""


@dg.asset_check(asset=orders, blocking=True)
def orders_have_no_incidents() -> dg.AssetCheckResult:
    """Block everything downstream while the orders have active incidents."""
    try:
        report = check(settings())
    except BlockedError as blocked:
        return dg.AssetCheckResult(passed=False, description=str(blocked))
    return dg.AssetCheckResult(passed=True, description=f"The inputs are {report.verdict}.")


@dg.asset(deps=[orders])
def revenue_daily() -> None:
    """Do the work, and report how it ended."""
    try:
        build()
    except Exception:
        report_outcome(settings(), "failure")
        raise
    report_outcome(settings(), "success")


def build() -> None:
    """The work itself."""


defs = dg.Definitions(assets=[orders, revenue_daily], asset_checks=[orders_have_no_incidents])
