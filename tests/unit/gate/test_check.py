"""The gate's use case, with answers that are made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from incident_gate.ci.run import JobIdentity
from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.reader import Reader
from incident_gate.datahub.health.reading import Reading
from incident_gate.errors import DataHubError, ExitCode, RefusedError, UnreachableError
from incident_gate.gate.check import CheckResult, check_inputs, without_warehouse
from incident_gate.gate.policy import Conclusion, Verdict
from incident_gate.incident import Health, Incident, Problem, Question, Reason
from incident_gate.manifest.model import InputEntry, Manifest, OnUnknown, Position, Rules
from incident_gate.report.model import Report
from incident_gate.urn import parse_urn
from tests.helpers.job_end import output

ORDERS, CUSTOMERS, PAYMENTS = (
    f"urn:li:dataset:(urn:li:dataPlatform:hive,{name},PROD)" for name in ("orders", "customers", "payments")
)

EVERYTHING = frozenset(Question)
ME = JobIdentity(server="datahub", repository="acme/shop", workflow="nightly.yml", job="build")
WARN = Rules(on_unknown=OnUnknown.WARN)


@dataclass
class Answers(Reader):
    """A reader without a server; what is not in `healths` stays unanswered because of `failure`."""

    healths: dict[str, Health] = field(default_factory=dict)
    failure: DataHubError | None = None
    asked: list[HealthQuery] = field(default_factory=list)

    def read(self, queries: Sequence[HealthQuery]) -> Reading:
        self.asked += queries
        silence = (Problem(Reason.NO_ANSWER, "nothing came"),)
        return Reading(
            {q: self.healths.get(q.urn.text, Health(urn=q.urn.text, problems=silence)) for q in queries},
            self.failure,
        )


def entry(urn: str, *, siblings: bool | None = None) -> InputEntry:
    return InputEntry(urn=parse_urn(urn), position=Position(1, 1), rules=Rules(siblings=siblings))


def healthy(urn: str, *, health: Health | None = None) -> dict[str, Health]:
    return {urn: health or Health(urn=urn, answered=EVERYTHING)}


def judged(answers: Answers, *urns: str, overrides: Rules | None = None) -> CheckResult:
    manifest = Manifest(path="gate.yml", inputs=tuple(map(entry, urns)))
    return check_inputs(manifest, reader=answers, identity=ME, overrides=overrides or Rules())


def code_of(result: CheckResult) -> ExitCode:
    """The exit code of a run of which this is the check."""
    decisions, failure, nothing_answered, *_ = result
    return Report("gate.yml", None, 0, decisions, failure=failure, nothing_answered=nothing_answered).exit_code


def test_nothing_is_asked_without_inputs() -> None:
    answers = Answers()

    assert judged(answers) == CheckResult(())
    assert answers.asked == []


def test_decisions_stand_in_the_manifests_order() -> None:
    answers = Answers(healthy(ORDERS) | healthy(CUSTOMERS))

    decisions = judged(answers, CUSTOMERS, ORDERS).decisions

    assert [d.entry.urn.text for d in decisions] == [CUSTOMERS, ORDERS]


def test_siblings_are_asked_for_unless_the_rule_leaves_them_out() -> None:
    answers = Answers(healthy(ORDERS) | healthy(CUSTOMERS))
    manifest = Manifest(
        path="gate.yml", defaults=Rules(siblings=False), inputs=(entry(ORDERS), entry(CUSTOMERS, siblings=True))
    )

    check_inputs(manifest, reader=answers, identity=ME, overrides=Rules())

    assert [q.siblings for q in answers.asked] == [False, True]


def own(asset: str, identity: JobIdentity = ME) -> Incident:
    return Incident(urn="urn:li:incident:1", asset=asset, mark=identity.mark_of(asset, run="1"))


def conclusion_of(
    *,
    incident: Incident,
    inputs: Sequence[str] = (ORDERS,),
    outputs: Sequence[str] = (ORDERS,),
    siblings: tuple[str, ...] = (),
    identity: JobIdentity = ME,
) -> Conclusion:
    """What one incident listed for the first input leads to."""
    health = Health(urn=inputs[0], incidents=(incident,), siblings=siblings, answered=EVERYTHING)
    manifest = Manifest(path="gate.yml", inputs=tuple(map(entry, inputs)), outputs=tuple(map(output, outputs)))
    answers = Answers({inputs[0]: health})
    return check_inputs(manifest, reader=answers, identity=identity, overrides=Rules()).decisions[0].conclusion


NOBODY = JobIdentity(server="datahub")


@pytest.mark.parametrize(
    ("given", "conclusion"),
    [
        ({"incident": own(ORDERS)}, Conclusion.PASS),
        ({"incident": own(ORDERS, ME._replace(job="load"))}, Conclusion.PASS),
        ({"incident": own(ORDERS, ME._replace(matrix='{"region":"eu"}'))}, Conclusion.PASS),
        ({"incident": own(ORDERS, ME._replace(workflow="b"))}, Conclusion.BLOCK),
        ({"incident": own(ORDERS, ME._replace(repository="acme/x"))}, Conclusion.BLOCK),
        ({"incident": own(ORDERS, ME._replace(incident_key="eu"))}, Conclusion.BLOCK),
        # On what is no output, or no output any more; and with a mark that was copied from another asset.
        ({"incident": own(ORDERS), "outputs": ()}, Conclusion.BLOCK),
        ({"incident": own(ORDERS), "outputs": (CUSTOMERS,)}, Conclusion.BLOCK),
        ({"incident": own(CUSTOMERS)._replace(asset=ORDERS), "outputs": (ORDERS, CUSTOMERS)}, Conclusion.BLOCK),
        ({"incident": own(ORDERS, NOBODY), "identity": NOBODY}, Conclusion.BLOCK),
    ],
)
def test_incident_of_this_workflow_is_excused_on_its_outputs(given: dict[str, Any], conclusion: Conclusion) -> None:
    assert conclusion_of(**given) is conclusion


@pytest.mark.parametrize(
    ("inputs", "outputs", "on", "conclusion"),
    [
        ((ORDERS,), (CUSTOMERS,), CUSTOMERS, Conclusion.PASS),  # the sibling is the output
        ((ORDERS,), (ORDERS,), CUSTOMERS, Conclusion.PASS),  # it is a sibling of the output
        ((ORDERS,), (CUSTOMERS,), ORDERS, Conclusion.PASS),
        ((ORDERS,), (), CUSTOMERS, Conclusion.BLOCK),
        # A sibling of a sibling of the output need not be one of the output.
        ((ORDERS,), (CUSTOMERS,), PAYMENTS, Conclusion.BLOCK),
    ],
)
def test_siblings_of_an_output_count_as_written(
    inputs: tuple[str, ...], outputs: tuple[str, ...], on: str, conclusion: Conclusion
) -> None:
    siblings = (CUSTOMERS, PAYMENTS)

    assert conclusion_of(incident=own(on), inputs=inputs, outputs=outputs, siblings=siblings) is conclusion


def test_output_that_does_not_exist_yet_blocks_with_a_hint_that_fits() -> None:
    missing = Problem(Reason.NOT_FOUND, "It is not in DataHub", "Compare the URN.")
    answers = Answers({urn: Health(urn=urn, problems=(missing,)) for urn in (ORDERS, CUSTOMERS)})
    manifest = Manifest(path="gate.yml", inputs=(entry(ORDERS), entry(CUSTOMERS)), outputs=(output(ORDERS),))

    written, read = check_inputs(manifest, reader=answers, identity=ME, overrides=Rules()).decisions

    assert written.conclusion is read.conclusion is Conclusion.BLOCK
    assert "set `on-unknown: warn` on this entry until it is" in written.problems[0].hint
    assert read.problems == (missing,)


@pytest.mark.parametrize(
    ("failure", "answered", "overrides", "code"),
    [
        # No answer at all: the conversation is to blame, not an asset.
        (UnreachableError("down"), (), Rules(), ExitCode.DATAHUB),
        (RefusedError("who?"), (), Rules(), ExitCode.DATAHUB),
        # Some answers: what is missing blocks as any unknown asset does.
        (UnreachableError("down"), (ORDERS,), Rules(), ExitCode.BLOCKED),
        # A wrong setting stays a wrong setting, however much was answered before.
        (RefusedError("who?"), (ORDERS,), Rules(), ExitCode.DATAHUB),
        # Down is what on-unknown is for, a wrong token is not.
        (UnreachableError("down"), (), WARN, ExitCode.OK),
        (RefusedError("who?"), (), WARN, ExitCode.DATAHUB),
        (None, (ORDERS, CUSTOMERS), Rules(), ExitCode.OK),
    ],
)
def test_the_exit_code_tells_an_asset_from_the_conversation(
    failure: DataHubError | None, answered: tuple[str, ...], overrides: Rules, code: ExitCode
) -> None:
    answers = Answers({urn: Health(urn=urn, answered=EVERYTHING) for urn in answered}, failure)

    judgement = judged(answers, ORDERS, CUSTOMERS, overrides=overrides)

    assert code_of(judgement) is code
    assert judgement.failure is failure
    for decision in judgement.decisions:
        assert (decision.verdict is Verdict.HEALTHY) is (decision.entry.urn.text in answered)


def test_an_incident_is_told_apart_from_a_failure() -> None:
    incident = Incident(urn="urn:li:incident:1", asset=ORDERS)
    answers = Answers(healthy(ORDERS, health=Health(urn=ORDERS, incidents=(incident,))), UnreachableError("down"))

    assert code_of(judged(answers, ORDERS, CUSTOMERS, overrides=WARN)) is ExitCode.BLOCKED


def outputs_only(answers: Answers, *, reports_outcome: bool = True) -> CheckResult:
    manifest = Manifest(path="gate.yml", outputs=(output(ORDERS), output(CUSTOMERS)))
    return check_inputs(manifest, reader=answers, identity=ME, overrides=Rules(), reports_outcome=reports_outcome)


@pytest.mark.parametrize("reason", [Reason.NOT_FOUND, Reason.REMOVED])
def test_missing_output_is_a_warning_before_the_job_starts(reason: Reason) -> None:
    missing = Health(urn=ORDERS, problems=(Problem(reason, "It is not in DataHub", "Compare the URN."),))
    judgement = outputs_only(Answers(healthy(ORDERS, health=missing) | healthy(CUSTOMERS)))

    (output_,) = judgement.missing_outputs
    assert output_.entry.urn.text == ORDERS
    assert output_.problem.message == "It is not in DataHub"
    assert output_.problem.hint == "If this job fails, no incident can be raised on it. Compare the URN."
    assert code_of(judgement) is ExitCode.OK


def test_outputs_are_asked_for_existence_alone_and_only_where_the_outcome_is_reported() -> None:
    answers = Answers(healthy(ORDERS) | healthy(CUSTOMERS))

    assert outputs_only(answers).missing_outputs == ()
    assert [(q.urn.text, q.existence_only) for q in answers.asked] == [(ORDERS, True), (CUSTOMERS, True)]
    answers.asked.clear()
    assert outputs_only(answers, reports_outcome=False) == CheckResult(())
    assert answers.asked == []


def test_outputs_without_an_answer_change_nothing() -> None:
    judgement = outputs_only(Answers(failure=UnreachableError("down")))

    assert (judgement.missing_outputs, code_of(judgement)) == ((), ExitCode.OK)


def test_answers_about_outputs_do_not_stand_for_those_about_inputs() -> None:
    answers = Answers(healthy(CUSTOMERS), UnreachableError("down"))
    manifest = Manifest(path="gate.yml", inputs=(entry(ORDERS),), outputs=(output(CUSTOMERS),))

    judgement = check_inputs(manifest, reader=answers, identity=ME, overrides=Rules(), reports_outcome=True)

    assert [decision.entry.urn.text for decision in judgement.decisions] == [ORDERS]
    assert code_of(judgement) is ExitCode.DATAHUB


def _node(number: int, *problems: Reason | None, platforms: str = "dbt snowfalke") -> tuple[Position, Health]:
    """A dbt node's URNs, each with a problem or without."""
    parts = tuple(
        Health(
            urn=f"urn:li:dataset:(urn:li:dataPlatform:{platform},n{number},PROD)",
            problems=(Problem(reason, "x"),) if reason else (),
        )
        for platform, reason in zip(platforms.split(), problems, strict=True)
    )
    return Position(3, 1), Health(urn=parts[0].urn, of_each_urn=parts)


GONE, SILENT = Reason.NOT_FOUND, Reason.NO_ANSWER


@pytest.mark.parametrize(
    ("nodes", "is_reported"),
    [
        ([_node(1, None, GONE)], True),
        ([_node(1, None, GONE), _node(2, SILENT, GONE)], True),
        ([_node(1, None, GONE), _node(2, GONE, GONE)], True),
        ([_node(1, None, GONE), _node(2, None, None)], False),
        ([_node(1, None, GONE), _node(2, None, SILENT)], False),
        ([_node(1, GONE, GONE)], False),  # which is unknown
        ([_node(1, None, GONE, GONE, platforms="dbt snowflake snowflake")], True),
        ([_node(1, None, GONE, platforms="snowflake snowflake")], False),  # `urns: warehouse`
        ([_node(1, None, platforms="dbt")], False),
        ([], False),
    ],
)
def test_dbt_nodes_without_any_table(nodes: list[tuple[Position, Health]], *, is_reported: bool) -> None:
    assert list(without_warehouse(nodes)) == ([Position(3, 1)] if is_reported else [])
