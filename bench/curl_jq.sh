#!/usr/bin/env bash
# What one would write otherwise in a workflow's `run:`: curl and jq, a dataset each. Reads URNs, a line each, from standard input.
set -euo pipefail

# shellcheck disable=SC2016 # GraphQL's variables, not the shell's
query='query dataset($urn: String!) { dataset(urn: $urn) { incidents(state: ACTIVE, start: 0, count: 10) { total incidents { urn title description status { state } } } } }'
total=0
while read -r urn; do
  found=$(jq --null-input --compact-output --arg query "$query" --arg urn "$urn" '{query: $query, variables: {urn: $urn}}' |
    curl --silent --show-error --fail --header 'Content-Type: application/json' --header "Authorization: Bearer $DATAHUB_GMS_TOKEN" \
      --data-binary @- "$DATAHUB_GMS_URL/api/graphql" |
    jq '.data.dataset.incidents.total')
  total=$((total + found))
done
echo "$total active incidents"
((total == 0))
