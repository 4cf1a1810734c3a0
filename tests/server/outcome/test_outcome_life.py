"""Failure, failure again, success, failure: over HTTP, on every generation of server."""

import pytest

from incident_gate.incident import Priority, mark_in
from incident_gate.manifest.model import IncidentTemplate
from incident_gate.outcome.result import Change
from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Sandbox
from incident_gate.urn import parse_urn
from tests.helpers.asking import CHART, CUSTOMERS, FLOW, ORDERS
from tests.helpers.job_end import IDENTITY, Job, output, signed

pytestmark = pytest.mark.writes


def life_of(server: Sandbox) -> Job:
    server.store.add_asset(ORDERS)
    return Job(server=server, outputs=[output(ORDERS)])


def test_whole_life_leaves_others_alone(each_sandbox: Sandbox) -> None:
    job = life_of(each_sandbox)
    store = each_sandbox.store
    another_jobs = signed("lost", CUSTOMERS)
    others = {
        store.raise_incident(ORDERS, title="by a person"),
        store.raise_incident(ORDERS, title="by another job", description=another_jobs),
    }
    untouched = store.incidents_by_urn(others)

    kept, resolved = "ACTIVE: Failed again in `nightly #2`", "RESOLVED: Resolved by `nightly #3`"
    for number, outcome, change, left in (
        (1, "failure", Change.RAISED, ["ACTIVE: "]),
        (2, "failure", Change.KEPT, [kept]),
        (3, "success", Change.RESOLVED, [resolved]),
        (4, "success", Change.CLEAR, [resolved]),
        (5, "failure", Change.RAISED, [resolved, "ACTIVE: "]),
    ):
        assert job.changes(outcome, number) == [change]
        ours = [incident for incident in store.incidents(ORDERS) if incident.urn not in others]
        assert [f"{i.state}: {(i.message or '').partition(' (')[0]}" for i in ours] == left
    assert store.incidents_by_urn(others) == untouched


def test_raised_incident_says_all_that_the_manifest_and_the_run_say(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS)
    template = IncidentTemplate(
        type="CUSTOM",
        custom_type="late",
        title="orders were not built",
        description="Look at the runbook.",
        priority=Priority.CRITICAL,
        assignees=("urn:li:corpuser:ana",),
    )
    Job(server=each_sandbox, outputs=[output(ORDERS, template)]).end("failure")
    (incident,) = each_sandbox.store.incidents(ORDERS)
    assert (incident.type, incident.custom_type, incident.title) == ("CUSTOM", "late", "orders were not built")
    assert incident.priority == 0
    assert incident.description is not None
    assert incident.description.startswith("Look at the runbook.\n")
    for fact in ("build", "nightly", "acme/pipelines", "actions/runs/1007/attempts/1", "c0ffee", "ana"):
        assert fact in incident.description
    assert mark_in(incident.description) == IDENTITY.mark_of(ORDERS, run="1007")
    if each_sandbox.generation.has_stages:
        assert incident.assignees == ("urn:li:corpuser:ana",)
        assert incident.started_ms is not None
        assert abs(incident.started_ms - incident.created_ms) < 60_000
    else:
        assert (incident.assignees, incident.started_ms) == ((), None)


@pytest.mark.parametrize("generation", [Generation.G3_EARLY, Generation.G3, Generation.G4, Generation.CLOUD])
def test_persons_stage_is_kept_until_the_incident_is_resolved_as_fixed(generation: Generation) -> None:
    with Sandbox.start(schema=generation) as server:
        job = life_of(server)
        (raised,) = job.end("failure").results
        server.store.update_incident(raised.incidents[0], {"stage": "INVESTIGATION", "assignees": ("x",)})
        job.end("failure")
        kept = server.store.incidents(ORDERS)[0]
        assert (kept.stage, kept.assignees) == ("INVESTIGATION", ("x",))
        job.end("success")
        assert server.store.incidents(ORDERS)[0].stage == "FIXED"


# One output never stops another


def test_what_was_resolved_on_one_urn_of_a_node_is_reported_although_the_other_is_refused(sandbox: Sandbox) -> None:
    sandbox.store.add_assets([ORDERS, CUSTOMERS])
    node = output(ORDERS)._replace(alternate_urns=(parse_urn(CUSTOMERS),))
    done, refused = (
        sandbox.store.raise_incident(urn, description=signed("failed", urn)) for urn in (ORDERS, CUSTOMERS)
    )
    fault = Fault(kind=FaultKind.GRAPHQL_ERROR, operation="incidentGateResolve", urn=refused, code=403)
    sandbox.faults = Faults(rules=(fault,))
    (result,) = Job(server=sandbox, outputs=[node]).end("success").results
    assert (result.change, result.resolved) == (Change.FAILED, (done,))
    assert "Edit Incidents" in result.hint


def test_type_that_the_server_does_not_know_does_not_stop_the_others(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_assets([ORDERS, CUSTOMERS])
    # The 2022 beta knows SLA and no FRESHNESS; all later ones know FRESHNESS and no SLA.
    unknown = "FRESHNESS" if each_sandbox.generation == "g1" else "SLA"
    odd, plain = IncidentTemplate(type=unknown, priority=Priority.HIGH), IncidentTemplate(priority=Priority.LOW)
    job = Job(server=each_sandbox, outputs=[output(ORDERS, odd), output(CUSTOMERS, plain)])
    refused, raised = job.end("failure").results
    assert (refused.change, raised.change) == (Change.FAILED, Change.RAISED)
    assert unknown in refused.message
    (incident,) = each_sandbox.store.incidents(CUSTOMERS)
    assert incident.priority == 3
    assert each_sandbox.store.incidents(ORDERS) == []
    has_id = incident.urn.startswith("urn:li:incident:incident-gate-")
    assert has_id is each_sandbox.generation.has_ids


def test_unknown_and_removed_and_untracked_assets_do_not_stop_the_others(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_assets([ORDERS, FLOW])
    each_sandbox.store.add_asset(CHART, removed=True)
    job = Job(server=each_sandbox, outputs=[output(urn) for urn in (CUSTOMERS, CHART, FLOW, ORDERS)])
    unknown, removed, flow, orders = job.changes("failure")
    assert (unknown, removed, orders) == (Change.FAILED, Change.FAILED, Change.RAISED)
    tracked = each_sandbox.generation != "g1"
    assert flow is (Change.RAISED if tracked else Change.FAILED)
    assert len(each_sandbox.store.incidents(ORDERS, "ACTIVE")) == 1


def test_incident_that_is_counted_and_not_shown_is_never_raised_twice(each_sandbox: Sandbox) -> None:
    """Only an id makes sure of that, and only the newest server takes one."""
    job = life_of(each_sandbox)
    job.end("failure")
    (first,) = each_sandbox.store.incidents(ORDERS)
    each_sandbox.faults = Faults(rules=(Fault(kind=FaultKind.LOST_INCIDENTS, urn=ORDERS),))
    for number in (8, 9):
        (result,) = job.end("failure", number).results
        if each_sandbox.generation is Generation.CLOUD:
            # The asset's summary names it, and the primary store shows it.
            assert (result.change, result.incidents) == (Change.KEPT, (first.urn,))
            continue
        if each_sandbox.generation.has_ids:
            assert (result.change, result.incidents) == (Change.RAISED, (first.urn,))
        else:
            assert result.change is Change.FAILED
            assert "one of them may be this job's, so none was raised" in result.message
            assert result.hint
        assert each_sandbox.store.incidents(ORDERS, "ACTIVE") == [first]


# What it costs


def test_requests_of_each_outcome(each_sandbox: Sandbox) -> None:
    """One query, a look just before each update, one write; on older servers what the first refusals teach."""
    job = life_of(each_sandbox)
    counts = []
    for outcome in ("success", "failure", "failure", "success"):
        each_sandbox.requests.clear()
        job.end(outcome)
        counts.append(len(each_sandbox.requests))
    # The 2022 beta: one refused question, a look at the schema, and each time a second question for what exists.
    # Raising and resolving: one refused request for each younger form.
    before_1_0, before_ids, newest = [3, 7, 5, 6], [1, 4, 3, 3], [1, 3, 3, 3]
    expected = {
        Generation.G1: [4, 9, 7, 8],
        Generation.G2_EARLY: before_1_0,
        Generation.G2: before_1_0,
        Generation.G3_EARLY: before_ids,
        Generation.G3: before_ids,
    }
    assert counts == expected.get(each_sandbox.generation, newest)


def test_long_history_of_resolved_incidents_hides_nothing_and_costs_nothing(
    each_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond an offset, which is 10,000 on real servers, the search behind the list answers no more."""
    monkeypatch.setattr("incident_gate.sandbox.results._MOST", 150)
    job = life_of(each_sandbox)
    for number in range(160):
        each_sandbox.store.raise_incident(ORDERS, title=f"over {number}", state="RESOLVED")
    assert job.changes("failure") == [Change.RAISED]
    each_sandbox.requests.clear()
    assert job.changes("failure") == [Change.KEPT]
    assert len(each_sandbox.requests) <= 7
    assert job.changes("success") == [Change.RESOLVED]


def test_hundred_outputs_wait_for_the_index_of_an_older_server_together() -> None:
    with Sandbox.start(schema="g3", faults=Faults(lag=0.1)) as server:
        urns = [ORDERS.replace("orders", f"t{number}") for number in range(100)]
        server.store.add_assets(urns)
        job = Job(server=server, outputs=[output(urn) for urn in urns])
        assert set(job.changes("failure")) == {Change.RAISED}
        # One before, and a look each 0.2, 0.6 and 1 s after the last raise, at the latest.
        assert server.requests.operations.count("incidentGateHealth") <= 4
