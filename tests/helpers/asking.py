"""How tests put GraphQL questions to the stand-in, independently of the client under test."""

from collections.abc import Mapping
from typing import Any

import httpx

from incident_gate.sandbox import Sandbox

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders,PROD)"
MODEL = "urn:li:dataset:(urn:li:dataPlatform:dbt,analytics.orders,PROD)"
CUSTOMERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.customers,PROD)"
FLOW = "urn:li:dataFlow:(airflow,nightly,PROD)"
JOB = f"urn:li:dataJob:({FLOW},orders)"
DASHBOARD = "urn:li:dashboard:(looker,sales)"
CHART = "urn:li:chart:(looker,sales_per_day)"


def plain_client(**options: Any) -> httpx.Client:
    """A client of a stand-in. It speaks plain HTTP, so it loads no certificates, which takes 16 ms each time."""
    # Waits long by default: on a busy machine an answer may take seconds.
    return httpx.Client(**{"trust_env": False, "verify": False, "timeout": 60, **options})


class Asker:
    """Sends documents as any client would."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def post(  # noqa: PLR0913 - a question and where it is put
        self,
        server: Sandbox,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        operation: str | None = None,
        token: str | None = None,
        path: str = "/api/graphql",
    ) -> httpx.Response:
        """The HTTP response to a document."""
        body = {"query": query, "variables": variables, "operationName": operation}
        headers = {"Authorization": f"Bearer {server.token if token is None else token}"}
        return self._http.post(server.url + path, json=body, headers=headers)

    def __call__(self, server: Sandbox, query: str, /, **variables: Any) -> dict[str, Any]:
        """The GraphQL answer to a document."""
        response = self.post(server, query, variables)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def data(self, server: Sandbox, query: str, /, **variables: Any) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        answer = self(server, query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def error(self, server: Sandbox, query: str, /, **variables: Any) -> dict[str, Any]:
        """The only error of an answer."""
        answer = self(server, query, **variables)
        assert len(answer.get("errors", ())) == 1, answer
        error: dict[str, Any] = answer["errors"][0]
        return error
