"""What one would write otherwise: a loop of requests, a dataset each. Reads URNs from standard input."""

import os
import sys

import requests

QUERY = """query dataset($urn: String!) {
  dataset(urn: $urn) {
    incidents(state: ACTIVE, start: 0, count: 10) { total incidents { urn title description status { state } } }
  }
}"""


def main() -> int:
    """1 if any dataset has an active incident."""
    server, token = os.environ["DATAHUB_GMS_URL"], os.environ["DATAHUB_GMS_TOKEN"]
    total = 0
    with requests.Session() as session:
        for urn in sys.stdin.read().split():
            response = session.post(
                f"{server}/api/graphql",
                json={"query": QUERY, "variables": {"urn": urn}},
                headers={"Authorization": f"Bearer {token}"},
                timeout=30,
            )
            response.raise_for_status()
            total += response.json()["data"]["dataset"]["incidents"]["total"]
    print(f"{total} active incidents")
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main())
