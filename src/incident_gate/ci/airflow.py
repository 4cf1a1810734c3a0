"""Airflow: `AIRFLOW_CTX_*`, which operators hand to the processes that they start."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from incident_gate.ci.run import Run

SYSTEM = "Airflow"


def run_from(environment: Mapping[str, str]) -> Run | None:
    """Read the context of a task; None outside Airflow."""

    def get(name: str) -> str:
        return environment.get(f"AIRFLOW_CTX_{name}", "").strip()

    dag = get("DAG_ID")
    if not dag:
        return None
    # Airflow 3 renamed the execution date.
    run_id = get("DAG_RUN_ID") or get("LOGICAL_DATE") or get("EXECUTION_DATE")
    return Run(
        system=SYSTEM,
        workflow=dag,
        workflow_file=dag,
        job=get("TASK_ID"),
        run_id=run_id,
        attempt=get("TRY_NUMBER"),
        url=_url(environment, dag, run_id),
        actor=get("DAG_OWNER"),
    )


def _url(environment: Mapping[str, str], dag: str, run_id: str) -> str:
    dag, run_id = quote(dag, safe=""), quote(run_id, safe="")
    if base := environment.get("AIRFLOW__API__BASE_URL", "").strip().rstrip("/"):  # Airflow 3
        return f"{base}/dags/{dag}/runs/{run_id}"
    if base := environment.get("AIRFLOW__WEBSERVER__BASE_URL", "").strip().rstrip("/"):
        return f"{base}/dags/{dag}/grid?dag_run_id={run_id}"
    return ""
