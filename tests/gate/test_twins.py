from incident_gate.gate.twins import combined
from incident_gate.incident import Health, Incident


def test_incident_that_only_a_summary_names_counts_on_any_urn() -> None:
    doubtful = Incident(urn="urn:li:incident:1", asset="b")
    health = combined([Health(urn="a"), Health(urn="b", unverified=(doubtful,))], first_must_exist=False)

    assert health.unverified == (doubtful,)
