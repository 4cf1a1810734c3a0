"""Answers of any shape to the gate's question, and an independent opinion on which of them are health."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from incident_gate.action.runner import commands
from incident_gate.ci.run import JobIdentity
from incident_gate.datahub.health.reader import Reader
from incident_gate.gate.check import CheckResult, check_inputs
from incident_gate.gate.policy import Verdict
from incident_gate.manifest.load import load_manifest
from incident_gate.manifest.model import Rules
from incident_gate.report import json as json_report
from incident_gate.report import summary, terminal
from incident_gate.report.annotations import annotate
from incident_gate.report.model import Report
from tests.helpers.answering import AnsweringServer
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS

ASSETS = (ORDERS, CUSTOMERS)
MANIFEST = load_manifest("gate.yml", f"- {ORDERS}\n- {CUSTOMERS}\n".encode(), date(2026, 12, 1))

# Two healthy assets, with everything that health may come with.
NONE: dict[str, Any] = {"total": 0, "incidents": []}
OVER = {
    "urn": "urn:li:incident:1",
    "title": None,
    "priority": None,
    "created": {"time": 1},
    "status": {"state": "RESOLVED"},
}
SIBLING = {"urn": MODEL, "platform": {"name": "dbt"}, "incidents": NONE}
SHOWN: dict[str, Any] = {"exists": True, "platform": {"name": "snowflake"}}
FIRST = {
    **SHOWN,
    "urn": ORDERS,
    "status": {"removed": False},
    "incidents": {"total": 1, "incidents": [OVER]},
    "siblings": {"siblings": [SIBLING]},
}
SECOND = {**SHOWN, "urn": CUSTOMERS, "status": None, "incidents": NONE, "siblings": None}
HEALTHY: dict[str, Any] = {"data": {"entities": [FIRST, SECOND]}}
ERROR = {"message": "failed", "path": ["entities", 0, "incidents"], "extensions": {"code": 500}}

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([0.0, 1.5, 10**30, "ACTIVE", "RESOLVED", "true", "", ORDERS, CUSTOMERS, MODEL, 403, 503]),
    st.text(max_size=3),
)
_KEYS = st.one_of(
    st.sampled_from(["data", "errors", "path", "message", "extensions", "code", "__schema", "types", "name", "fields"]),
    st.sampled_from(["entities", "a0", "a1", "urn", "exists", "status", "removed", "incidents", "total", "siblings"]),
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    _LEAVES | st.sampled_from([HEALTHY, ERROR, OVER, [ERROR], HEALTHY["data"], FIRST]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=8,
)


@st.composite
def answers(draw: st.DrawFn) -> Any:
    """A healthy answer after a few mutations, or anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(ANYTHING)
    answer: Any = deepcopy(HEALTHY)
    for _ in range(draw(st.integers(0, 3))):
        holder, key = draw(st.sampled_from(list(_places(answer))))
        match draw(st.sampled_from(["replace", "remove", "double", "add", "error"])):
            case "replace":
                holder[key] = deepcopy(draw(ANYTHING))
            case "remove":
                del holder[key]
            case "double" if isinstance(holder, list):
                holder.append(deepcopy(holder[key]))
            case "add" if isinstance(holder[key], dict):
                holder[key][draw(_KEYS)] = deepcopy(draw(ANYTHING))
            case "add" if isinstance(holder[key], list):
                holder[key].append(deepcopy(draw(ANYTHING)))
            case _:
                error = {
                    **deepcopy(ERROR),
                    "path": draw(st.lists(st.sampled_from(["entities", 0, 1, 2, True, None]), max_size=3)),
                }
                answer["errors"] = [error]
        if not answer:
            break
    return answer


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value that can be changed: what holds it, and under which key."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for key in keys:
        yield value, key
        yield from _places(value[key])


def judge(answer: Any) -> CheckResult:
    """Gate both assets with a server that gives this answer to everything, and render every report of it."""
    server = AnsweringServer(lambda _name, _variables: httpx.Response(200, json=answer), seconds=0.3)
    with server.client() as client:
        reader, identity = Reader(client, sleep=server.sleep), JobIdentity(server="datahub.test")
        judgement = check_inputs(MANIFEST, reader=reader, identity=identity, overrides=Rules())
    report = Report("gate.yml", None, 1_800_000_000_000, judgement.decisions, failure=judgement.failure)
    json_report.document(report)
    json_report.outputs(report)
    terminal.terminal(report)
    summary.summary(report, summary.LIMIT)
    commands(annotate(report))
    return judgement


def is_health(answer: Any, urn: str) -> bool:
    """Whether an answer says of an asset all that health needs, read as strictly as can be."""
    try:
        entities = answer["data"]["entities"]
        own = [place for place, value in enumerate(entities) if isinstance(value, dict) and value.get("urn") == urn]
        [place] = own
        element = entities[place]
        others = {0, 1} - {place}
        errors_elsewhere = all(
            error["path"][0] == "entities" and type(error["path"][1]) is int and error["path"][1] in others
            for error in answer.get("errors") or []
        )
        exists = element["exists"] is True or answer["data"].get(f"a{ASSETS.index(urn)}") is True
        exists = exists or answer["data"].get("a0") is True  # if it was asked for alone
        there = element["status"] is None or element["status"]["removed"] is False
        outer = element["siblings"]
        siblings = [] if outer is None else outer.get("siblings") or []
        lists = [element["incidents"], *(sibling["incidents"] for sibling in siblings if sibling["urn"] != urn)]
        return errors_elsewhere and exists and there and all(_is_over(listed) for listed in lists)
    except (LookupError, TypeError, ValueError, AttributeError):
        return False


def _is_over(listed: Any) -> bool:
    over = {i["urn"] for i in listed["incidents"] if _state(i) == "RESOLVED"}
    readable = len(listed["incidents"]) == sum(
        1 for i in listed["incidents"] if i["urn"] in over and _state(i) == "RESOLVED"
    )
    return type(listed["total"]) is int and 0 <= listed["total"] <= len(over) and readable


def _state(incident: Any) -> Any:
    return next(
        (incident[n].get("state") for n in ("status", "incidentStatus") if isinstance(incident.get(n), dict)), None
    )


def test_the_answer_that_others_are_made_from_is_health() -> None:
    assert [decision.verdict for decision in judge(HEALTHY).decisions] == [Verdict.HEALTHY, Verdict.HEALTHY]
    assert all(is_health(HEALTHY, urn) for urn in ASSETS)


@given(answer=answers())
@example(answer={"data": {"entities": [{"urn": []}]}})
@example(answer={"data": {"__schema": {"types": [{"name": "Dataset", "fields": 5}]}}})
@example(answer={"errors": [{"message": "Validation error"}], "data": None})
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_answer_but_a_whole_one_is_health(answer: Any) -> None:
    judgement = judge(answer)

    for urn, decision in zip(ASSETS, judgement.decisions, strict=True):
        assert decision.verdict is not Verdict.HEALTHY or is_health(answer, urn), urn
