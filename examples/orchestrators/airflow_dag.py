"""An Airflow DAG: a gate before the work, and incidents on the output when the work fails.

For Airflow 3; in Airflow 2 the decorators are in `airflow.decorators`. The package must be installed where the tasks
run: pip install https://github.com/OWNER/datahub-incident-gate/archive/main.tar.gz
"""

import os
from datetime import datetime

from airflow.sdk import dag, task

from incident_gate import BlockedError, Settings, check, report_outcome

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.orders,PROD)"
REVENUE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.revenue_daily,PROD)"


def settings(**options: object) -> Settings:
    """The settings of every task; `incident_key` identifies the incidents of this DAG's task."""
    return Settings(
        datahub_url=os.environ["DATAHUB_GMS_URL"],
        datahub_token=os.environ["DATAHUB_GMS_TOKEN"],
        inputs=[ORDERS],
        outputs=[REVENUE],
        incident_key="revenue.build",
        **options,
    )


def report_failure(_context: object) -> None:
    """Raise an incident on the output."""
    report_outcome(settings(), "failure")


def report_success(_context: object) -> None:
    """Resolve the incident of an earlier failure."""
    report_outcome(settings(), "success")


@dag(schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False)
def revenue() -> None:
    """Build the revenue of each day."""

    @task(retries=0)
    def gate() -> None:
        """Fail while an input has active incidents, after waiting for up to half an hour."""
        check(settings(wait="30m", wait_interval="1m"))

    @task.sensor(poke_interval=300, timeout=7200, mode="reschedule")
    def healthy_inputs() -> bool:
        """The same as a sensor, which leaves the worker free while it waits for hours."""
        try:
            check(settings())
        except BlockedError:
            return False
        return True

    @task(on_failure_callback=report_failure, on_success_callback=report_success)
    def build() -> None:
        """Do the work."""

    # One of the two is enough.
    [gate(), healthy_inputs()] >> build()


revenue()
