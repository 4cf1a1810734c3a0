"""What a person reads in DataHub."""

from typing import Any

import pytest

from incident_gate.ci.run import Run
from incident_gate.incident import Mark, Priority, mark_in
from incident_gate.manifest.model import IncidentTemplate
from incident_gate.outcome.result import JOB_FAILED
from incident_gate.outcome.wording import Wording, is_foreign, run_in, sign_message
from tests.helpers.github_markdown import Page
from tests.helpers.job_end import RUN, output

URN = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders_daily,PROD)"
MARK = Mark("a" * 32, "b" * 32, "1007")
FILE = ".github/workflows/b.yml"
LINK = "https://github.com/acme/pipelines/actions/runs/1007/attempts/1"


def test_generated_incident_names_asset_job_and_run() -> None:
    incident = Wording(run=RUN._replace(attempt="2"), matrix='{"region":"eu"}').incident(output(URN), MARK, 5)
    assert incident.title == "analytics.orders_daily may be out of date or wrong: job build failed"
    assert incident.description == (
        "The job that writes this asset failed, so its data may be out of date or wrong.\n"
        "\n"
        "- Job: `build` of workflow `nightly` (`.github/workflows/b.yml`) in `acme/pipelines`\n"
        '- Matrix: `{"region":"eu"}`\n'
        f"- Run: `nightly #7, attempt 2` ({LINK})\n"
        "- Commit: `c0ffee (main)`\n"
        "- Started by: `ana`\n"
        "\n"
        "Raised by DataHub Incident Gate, and resolved by it when the job succeeds again. Resolve it by hand if the "
        "data was corrected otherwise. The last line identifies the job: do not edit it.\n"
        "\n"
        f"Incident Gate: key {'a' * 32}, scope {'b' * 32}, run 1007, cause job"
    )
    assert (incident.asset, incident.type, incident.started_ms) == (URN, "OPERATIONAL", 5)


def test_outside_a_ci_system_nothing_is_said_of_a_run_that_is_not_known() -> None:
    wording = Wording(run=Run())
    incident = wording.incident(output(URN), MARK, 5)
    assert incident.title == "analytics.orders_daily may be out of date or wrong: the job that writes it failed"
    assert "- " not in incident.description
    assert "\n\n\n" not in incident.description
    assert wording.still_failing("").startswith("Failed again in a run outside CI.\n")
    assert wording.resolved(None) == "Resolved by a run outside CI, which succeeded."


@pytest.mark.parametrize(
    ("run", "line"),
    [
        # What is not known is left out, and nothing is said twice.
        (RUN._replace(workflow=FILE), f"- Job: `build` of workflow `{FILE}` in `acme/pipelines`\n"),
        (RUN._replace(workflow_file=""), "- Job: `build` of workflow `nightly` in `acme/pipelines`\n"),
        (RUN._replace(branch=""), "- Commit: `c0ffee`\n"),
        # A system without jobs
        (
            Run(repository="ci.acme.com", workflow="shop/n", workflow_file="shop/n"),
            "- Job: `shop/n` in `ci.acme.com`\n",
        ),
    ],
)
def test_description_says_what_is_known_of_the_run(run: Run, line: str) -> None:
    incident = Wording(run=run).incident(output(URN), MARK, 5)
    assert line in incident.description
    assert incident.title.endswith(f"job {run.job or run.workflow} failed")


def test_users_title_goes_before_the_manifests_and_that_before_ours() -> None:
    entry = output(URN, IncidentTemplate(title="from the manifest"))
    assert Wording(run=RUN).incident(entry, MARK, 5).title == "from the manifest"
    assert Wording(run=RUN, title="from the step").incident(entry, MARK, 5).title == "from the step"


def test_users_message_goes_before_the_manifests_description_and_that_before_ours() -> None:
    entry = output(URN, IncidentTemplate(description="from the manifest\n"))
    assert Wording(run=RUN).incident(entry, MARK, 5).description.startswith("from the manifest\n\n- Job:")
    spoken = Wording(run=RUN, message="from the step").incident(entry, MARK, 5).description
    assert spoken.startswith("from the step\n\n- Job:")
    assert "from the manifest" not in spoken


def test_everything_else_is_the_manifests() -> None:
    template = IncidentTemplate(
        type="CUSTOM", custom_type="late", priority=Priority.LOW, assignees=("urn:li:corpuser:ana",)
    )
    incident = Wording(run=RUN).incident(output(URN, template), MARK, 5)
    assert (incident.type, incident.custom_type) == ("CUSTOM", "late")
    assert (incident.priority, incident.assignees) == (Priority.LOW, ("urn:li:corpuser:ana",))


def test_manifests_type_goes_before_that_of_what_failed() -> None:
    late = JOB_FAILED._replace(type="FRESHNESS")
    chosen = IncidentTemplate(type="OPERATIONAL", sets_type=True)
    incidents = [Wording(run=RUN).incident(output(URN, entry), MARK, 5, late) for entry in (IncidentTemplate(), chosen)]
    assert [(one.type, one.is_type_derived) for one in incidents] == [("FRESHNESS", True), ("OPERATIONAL", False)]


def test_key_is_found_whatever_the_user_writes() -> None:
    wording = Wording(run=RUN, message=MARK._replace(key="c" * 32).line)
    assert mark_in(wording.incident(output(URN), MARK, 5).description) == MARK


def test_messages_name_the_run_behind_the_users_words() -> None:
    assert Wording(run=RUN).still_failing("1009") == sign_message(f"Failed again in `nightly #7` ({LINK}).", "1009")
    assert Wording(run=RUN).resolved(None) == f"Resolved by `nightly #7` ({LINK}), which succeeded."
    said = Wording(run=RUN, message="Corrected by hand.")
    assert said.resolved("") == f"Corrected by hand.\nResolved by `nightly #7` ({LINK}), which succeeded."
    assert said.still_failing("1").startswith(f"Corrected by hand.\nFailed again in `nightly #7` ({LINK}).\n")
    assert said.duplicate("incident", None) == f"Duplicate of incident, raised by `nightly #7` ({LINK})."


def test_what_a_person_wrote_is_kept_and_the_gates_own_message_is_not() -> None:
    wording = Wording(run=RUN)
    assert wording.resolved("Ana: mine").endswith(", which succeeded.\n\nBefore: Ana: mine")
    assert wording.duplicate("u", "Ana: mine").endswith("\n\nBefore: Ana: mine")
    assert "Before" not in wording.resolved(wording.still_failing("1"))
    assert "Before" not in wording.duplicate("u", wording.still_failing("1"))


HOSTILE = "`[x](https://evil.example) <b>*a*_b_</b>\n\n# `h` ![i](//evil.example/i.png) ``@ana\u202e"


NAMES = ("repository", "workflow", "workflow_file", "job", "number", "commit", "branch", "actor", "url")


@pytest.mark.parametrize("field", [*NAMES, "tag"])
def test_name_that_people_outside_control_is_neither_markup_nor_a_link(field: str) -> None:
    changes: dict[str, Any] = {field: HOSTILE}
    wording = Wording(run=RUN._replace(**changes), matrix=HOSTILE)
    description = wording.incident(output(URN), MARK, 5).description
    assert mark_in(description) == MARK
    assert Page(description).text.count("[x](https://evil.example)") > 1
    for text in (description, wording.still_failing("1"), wording.resolved(None), wording.duplicate("u", None)):
        page = Page(text)
        assert not any("evil.example" in text for text in page.open_text)
        assert set(page.elements) <= {"p", "ul", "li", "code", "a"}
        assert page.links == ([] if field == "url" else [LINK])


def test_address_of_a_run_is_one_link_whatever_it_holds() -> None:
    wording = Wording(run=RUN._replace(url="https://ci.acme.com/a b)[x](//evil.example)`<b>%20"))
    assert "(https://ci.acme.com/a%20b%29%5Bx%5D%28//evil.example%29%60%3Cb%3E%20)\n" in (
        wording.incident(output(URN), MARK, 5).description
    )


# The gate's own status message

OWN = sign_message("Failed again in nightly #7.", "1007")


@pytest.mark.parametrize(
    ("message", "is_ours"),
    [
        (OWN, True),
        *((sign_message(text, "1"), True) for text in ("", "one\ntwo", "Ana's words.\nFailed again.", OWN)),
        # Servers and editors may change the layout.
        (OWN.replace("\n", "\r\n"), True),
        (f"  {OWN}  \n\n", True),
        ("Ana: looking at the loader", False),
        (f"{OWN}\nAna: looking at the loader", False),
        (f"Ana: looking at the loader\n{OWN}", False),
        (OWN.replace("again", "again, Ana is on it,"), False),
        (OWN.partition("\n")[0], False),
        (f"> {OWN.partition(chr(10))[2]}", False),
    ],
)
def test_what_a_person_wrote_or_edited_is_foreign(message: str, *, is_ours: bool) -> None:
    assert is_foreign(message) is not is_ours


def test_own_message_names_the_run_and_no_message_is_nobodys() -> None:
    assert OWN.startswith("Failed again in nightly #7.\nIncident Gate: run 1007, text ")
    assert run_in(OWN) == "1007"
    for message in (None, "", " \n"):
        assert not is_foreign(message)
        assert run_in(message) == ""


def test_run_is_one_word() -> None:
    assert run_in(sign_message("x", "a b`<i>")) == "a-b--i-"
    assert run_in(sign_message("x", "")) == "none"
    assert not is_foreign(sign_message("x", ""))
