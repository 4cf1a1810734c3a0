"""Asset URNs: what DataHub accepts is read, anything else is told with its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.urn import FABRICS, EntityType, Urn, UrnError, parse_urn

SNOWFLAKE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,"

# What a name may hold: visible characters, none of DataHub's reserved ones, no space at either end.
words = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="(),%␟"), min_size=1, max_size=20)
names = st.recursive(words, lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda xs: f"f({','.join(xs)})"))


@pytest.mark.parametrize(
    ("text", "entity_type", "name"),
    [
        (f"{SNOWFLAKE}analytics.public.orders,PROD)", EntityType.DATASET, "analytics.public.orders"),
        (f"{SNOWFLAKE}My Workspace.Sales,NON_PROD)", EntityType.DATASET, "My Workspace.Sales"),
        (f"{SNOWFLAKE}margins(2025,2026),DEV)", EntityType.DATASET, "margins(2025,2026)"),
        (f"{SNOWFLAKE}a%2Cb%28c%29 50%,PROD)", EntityType.DATASET, "a,b(c) 50%"),
        ("urn:li:dataFlow:(airflow,daily,prod-eu)", EntityType.DATA_FLOW, "daily"),
        ("urn:li:dataJob:(urn:li:dataFlow:(airflow,daily,PROD),load)", EntityType.DATA_JOB, "daily.load"),
        ("urn:li:dashboard:(looker,dashboards.thelook::cohort)", EntityType.DASHBOARD, "dashboards.thelook::cohort"),
        ("urn:li:chart:(superset,17)", EntityType.CHART, "17"),
    ],
)
def test_each_type_has_a_name_for_people(text: str, entity_type: EntityType, name: str) -> None:
    urn = parse_urn(text)
    assert urn == Urn(text, entity_type, name)
    assert str(urn) == text


@pytest.mark.parametrize(
    ("text", "offset", "message", "expected"),
    [
        ("", 0, "empty", "urn:li:dataset:(urn:li:dataPlatform:<platform>,<name>,<env>)"),
        ("analytics.public.orders", 0, '"analytics.public.orders" is not a URN', "for instance urn:li:dataset:("),
        ("urn:lj:dataset:(a,b,PROD)", 5, "is not a URN", "urn:li:dataset:("),
        ("urn:li:", 7, "ends too early", "one of dataset, dataJob, dataFlow, dashboard, chart"),
        ("urn:li:chart", 12, "ends too early", "urn:li:chart:(<tool>,<id>)"),
        ("urn:li:datajob:(x)", 7, '"datajob"', '"dataJob"'),
        ("urn:li:mlModel:(x)", 7, '"mlModel"', "one of dataset, dataJob, dataFlow, dashboard, chart"),
        ("urn:li:chart:superset", 13, 'no "("', "urn:li:chart:(<tool>,<id>)"),
        ("urn:li:chart:", 13, 'no "("', "urn:li:chart:(<tool>,<id>)"),
        ("urn:li:chart:(a,b", 17, "never closed", "%28"),
        ("urn:li:chart:(a,b)c)", 18, '"c)" follows the end', "%29"),
        ("urn:li:chart:(a,b,c)", 18, "3 parts", "%2C"),
        ("urn:li:chart:(a)", 15 - 1, "1 parts", "urn:li:chart:(<tool>,<id>)"),
        ("urn:li:chart:(,b)", 14, "empty", "urn:li:chart:(<tool>,<id>)"),
        ("urn:li:chart:(a, b)", 16, "a space", "no space here"),
        ("urn:li:chart:(a,b )", 17, "a space", "no space here"),
        (" urn:li:chart:(a,b)", 0, "a space", "no space"),
        ("urn:li:chart:(a,b) ", 18, "a space", "no space"),
        ("urn:li:chart:(a\t,b)", 15, "U+0009", "visible"),
        ("urn:li:chart:(a\u202eb,c)", 15, "U+202E", "visible"),
        ("urn:li:chart:(a,b\u00a0)", 17, "U+00A0", "visible"),
        ("urn:li:chart:(a␟,b)", 15, "␟", "another character"),
        (f"{SNOWFLAKE}orders,prod)", 53, '"prod"', '"PROD"'),
        (f"{SNOWFLAKE}orders,PRODUCTION)", 53, '"PRODUCTION"', '"PROD"'),
        (f"{SNOWFLAKE}orders,zz)", 53, '"zz"', "one of PROD, DEV"),
        (f"{SNOWFLAKE}a,b,PROD)", 50, "4 parts", "%2C"),
        ("urn:li:dataset:(snowflake,orders,PROD)", 16, '"snowflake" is no data platform', "urn:li:dataPlatform:"),
        ("urn:li:dataset:(urn:li:dataPlatform:,orders,PROD)", 16, "no data platform", "urn:li:dataPlatform:"),
        ("urn:li:dataset:(urn:li:dataPlatform:a(b),c,PROD)", 37, '"("', "urn:li:dataPlatform:"),
        ("urn:li:dataJob:(daily,load)", 16, '"daily" is no data flow', "urn:li:dataFlow:("),
        ("urn:li:dataJob:(urn:li:dataFlow:(a,b),load)", 35, "2 parts", "urn:li:dataFlow:("),
        ("urn:li:dataJob:(urn:li:dataFlow:(a,b,c)d,load)", 39, '"d" follows', "urn:li:dataFlow:("),
        ("urn:li:chart:(a," + "b" * 600 + ")", 512, "617 characters", "at most 512"),
    ],
)
def test_malformed_urn_is_told_with_its_place(text: str, offset: int, message: str, expected: str) -> None:
    with pytest.raises(UrnError) as caught:
        parse_urn(text)
    assert caught.value.offset == offset
    assert message in caught.value.message
    assert expected in caught.value.expected
    assert str(caught.value) == f"{caught.value.message}; expected {caught.value.expected}"


def test_foreign_text_in_a_message_is_cut() -> None:
    with pytest.raises(UrnError) as caught:
        parse_urn("x" * 400)
    assert len(caught.value.message) < 110


@given(platform=words, name=names, fabric=st.sampled_from(FABRICS))
def test_every_dataset_round_trips(platform: str, name: str, fabric: str) -> None:
    text = f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},{fabric})"
    if len(text) > 512:
        return
    assert parse_urn(text) == Urn(text, EntityType.DATASET, name)


@given(orchestrator=words, flow=names, cluster=words, job=names)
def test_every_job_round_trips(orchestrator: str, flow: str, cluster: str, job: str) -> None:
    text = f"urn:li:dataJob:(urn:li:dataFlow:({orchestrator},{flow},{cluster}),{job})"
    if len(text) > 512:
        return
    assert parse_urn(text) == Urn(text, EntityType.DATA_JOB, f"{flow}.{job}")


pieces = st.sampled_from(
    ["urn:li:", *(f"{kind}:" for kind in EntityType), "(", ")", ",", "urn:li:dataPlatform:", "PROD", "x", " ", "%2C"]
)


@given(st.one_of(st.text(), st.lists(pieces, max_size=14).map("".join)))
def test_any_text_is_a_urn_or_has_a_mistake_inside_it(text: str) -> None:
    parsed = parsed_or_wrong(text)
    if isinstance(parsed, UrnError):
        assert 0 <= parsed.offset <= len(text)
        assert str(parsed).isprintable()
    else:
        assert parsed.text == text
        assert parsed.name


def parsed_or_wrong(text: str) -> Urn | UrnError:
    try:
        return parse_urn(text)
    except UrnError as error:
        return error
