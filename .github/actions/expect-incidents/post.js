// Fails unless exactly so many of this repository's incidents are active on the output, beside somebody else's.
const dataset = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders_daily,PROD)";
const query = `query expected($urn: String!) {
  dataset(urn: $urn) { incidents(state: ACTIVE, start: 0, count: 100) { incidents { urn title description } } }
}`;

async function main() {
  const response = await fetch(`${process.env.INPUT_URL}/api/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: "Bearer sandbox-token" },
    body: JSON.stringify({ query, variables: { urn: dataset }, operationName: "expected" }),
  });
  const { incidents } = (await response.json()).data.dataset.incidents;
  console.log(JSON.stringify(incidents, null, 2));
  const theirs = incidents.filter((incident) => incident.title === "Somebody else's").length;
  const ours = incidents.length - theirs;
  if (theirs !== 1 || ours !== Number(process.env.INPUT_OURS)) {
    throw new Error(`expected ${process.env.INPUT_OURS} of ours and 1 of somebody else, found ${ours} and ${theirs}`);
  }
}

main().catch((error) => {
  console.log(`::error::${error.message}`);
  process.exitCode = 1;
});
