"""The gate's use case, with answers that are made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from incident_gate.ci.identity import JobIdentity, sign
from incident_gate.datahub.health.batch import HealthQuery
from incident_gate.datahub.health.reader import Reading
from incident_gate.errors import DataHubError, ExitCode, RefusedError, UnreachableError
from incident_gate.gate.check import Judgement, check_inputs
from incident_gate.gate.policy import Conclusion, Overrides, Verdict
from incident_gate.incident import Health, Incident, Problem, Reason
from incident_gate.manifest.model import Defaults, InputEntry, Manifest, OnUnknown, Position
from incident_gate.urn import parse_urn

ORDERS, CUSTOMERS = (f"urn:li:dataset:(urn:li:dataPlatform:hive,{name},PROD)" for name in ("orders", "customers"))
ME = JobIdentity(server="datahub", repository="acme/shop", job="build")
WARN = Overrides(on_unknown=OnUnknown.WARN)


@dataclass(slots=True)
class Answers:
    """A reader that answers what it is told to; what it is not told, it leaves unanswered because of `failure`."""

    healths: dict[str, Health] = field(default_factory=dict)
    failure: DataHubError | None = None
    asked: list[HealthQuery] = field(default_factory=list)

    def read(self, questions: Sequence[HealthQuery], *, on_progress: Callable[[int, int], None]) -> Reading:
        self.asked += questions
        on_progress(len(questions), len(questions))
        silence = (Problem(Reason.NO_ANSWER, "nothing came"),)
        return Reading(
            tuple(self.healths.get(q.urn.text, Health(urn=q.urn.text, problems=silence)) for q in questions),
            self.failure,
        )


def entry(urn: str, *, siblings: bool | None = None) -> InputEntry:
    return InputEntry(urn=parse_urn(urn), position=Position(1, 1), siblings=siblings)


def healthy(urn: str, *, health: Health | None = None) -> dict[str, Health]:
    return {urn: health or Health(urn=urn)}


def judged(answers: Answers, *urns: str, overrides: Overrides | None = None) -> Judgement:
    manifest = Manifest(path="gate.yml", inputs=tuple(map(entry, urns)))
    return check_inputs(manifest, reader=answers, identity=ME, overrides=overrides or Overrides())


def test_nothing_is_asked_without_inputs() -> None:
    answers = Answers()

    assert judged(answers) == Judgement(())
    assert judged(answers).exit_code is ExitCode.OK
    assert answers.asked == []


def test_decisions_stand_in_the_manifests_order() -> None:
    answers = Answers(healthy(ORDERS) | healthy(CUSTOMERS))

    decisions = judged(answers, CUSTOMERS, ORDERS).decisions

    assert [d.entry.urn.text for d in decisions] == [CUSTOMERS, ORDERS]


def test_siblings_are_asked_for_unless_the_rule_leaves_them_out() -> None:
    answers = Answers(healthy(ORDERS) | healthy(CUSTOMERS))
    manifest = Manifest(
        path="gate.yml", defaults=Defaults(siblings=False), inputs=(entry(ORDERS), entry(CUSTOMERS, siblings=True))
    )

    check_inputs(manifest, reader=answers, identity=ME, overrides=Overrides())

    assert [q.siblings for q in answers.asked] == [False, True]


@pytest.mark.parametrize(("key", "conclusion"), [(ORDERS, Conclusion.PASS), (CUSTOMERS, Conclusion.BLOCK)])
def test_only_this_jobs_incident_on_this_very_asset_is_ours(key: str, conclusion: Conclusion) -> None:
    incident = Incident(urn="urn:li:incident:1", asset=ORDERS, description=sign("Broken.", ME.key_of(key)))
    answers = Answers(healthy(ORDERS, health=Health(urn=ORDERS, incidents=(incident,))))

    assert judged(answers, ORDERS).decisions[0].conclusion is conclusion


def test_our_incident_on_a_sibling_is_ours_as_well() -> None:
    incident = Incident(urn="urn:li:incident:1", asset=CUSTOMERS, description=sign("Broken.", ME.key_of(CUSTOMERS)))
    answers = Answers(healthy(ORDERS, health=Health(urn=ORDERS, incidents=(incident,), siblings=(CUSTOMERS,))))

    assert judged(answers, ORDERS).decisions[0].conclusion is Conclusion.PASS


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    manifest = Manifest(path="gate.yml", inputs=(entry(ORDERS),))

    check_inputs(
        manifest,
        reader=Answers(healthy(ORDERS)),
        identity=ME,
        overrides=Overrides(),
        on_progress=lambda done, total: told.append((done, total)),
    )

    assert told == [(1, 1)]


@pytest.mark.parametrize(
    ("failure", "answered", "overrides", "code"),
    [
        # No answer at all: the conversation is to blame, not an asset.
        (UnreachableError("down"), (), Overrides(), ExitCode.DATAHUB),
        (RefusedError("who?"), (), Overrides(), ExitCode.DATAHUB),
        # Some answers: what is missing blocks as any unknown asset does.
        (UnreachableError("down"), (ORDERS,), Overrides(), ExitCode.BLOCKED),
        # A wrong setting stays a wrong setting, however much was answered before.
        (RefusedError("who?"), (ORDERS,), Overrides(), ExitCode.DATAHUB),
        # Down is what on-unknown is for, a wrong token is not.
        (UnreachableError("down"), (), WARN, ExitCode.OK),
        (RefusedError("who?"), (), WARN, ExitCode.DATAHUB),
        (None, (ORDERS, CUSTOMERS), Overrides(), ExitCode.OK),
    ],
)
def test_the_exit_code_tells_an_asset_from_the_conversation(
    failure: DataHubError | None, answered: tuple[str, ...], overrides: Overrides, code: ExitCode
) -> None:
    answers = Answers({urn: Health(urn=urn) for urn in answered}, failure)

    judgement = judged(answers, ORDERS, CUSTOMERS, overrides=overrides)

    assert judgement.exit_code is code
    assert judgement.failure is failure
    for decision in judgement.decisions:
        assert (decision.verdict is Verdict.HEALTHY) is (decision.entry.urn.text in answered)


def test_an_incident_is_told_apart_from_a_failure() -> None:
    incident = Incident(urn="urn:li:incident:1", asset=ORDERS)
    answers = Answers(healthy(ORDERS, health=Health(urn=ORDERS, incidents=(incident,))), UnreachableError("down"))

    assert judged(answers, ORDERS, CUSTOMERS, overrides=WARN).exit_code is ExitCode.BLOCKED
