"""What one would write otherwise with DataHub's SDK, a query for each dataset. Reads URNs from standard input."""

import os
import sys

from datahub.ingestion.graph.client import DatahubClientConfig, DataHubGraph

from requests_loop import QUERY


def main() -> int:
    """1 if any dataset has an active incident."""
    config = DatahubClientConfig(server=os.environ["DATAHUB_GMS_URL"], token=os.environ["DATAHUB_GMS_TOKEN"])
    with DataHubGraph(config) as graph:
        answers = [graph.execute_graphql(QUERY, {"urn": urn}) for urn in sys.stdin.read().split()]
    total = sum(answer["dataset"]["incidents"]["total"] for answer in answers)
    print(f"{total} active incidents")
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main())
