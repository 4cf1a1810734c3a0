"""Asset URNs: what DataHub accepts is read, anything else is an error with its position."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.urn import FABRICS, EntityType, Urn, UrnError, extract_urn, parse_urn

SNOWFLAKE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,"

# What a name may hold: visible characters, none of DataHub's reserved ones, no space at either end.
words = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="(),%␟"), min_size=1, max_size=20)
names = st.recursive(words, lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda xs: f"f({','.join(xs)})"))


TYPES = [
    (f"{SNOWFLAKE}analytics.public.orders,PROD)", EntityType.DATASET, "analytics.public.orders"),
    (f"{SNOWFLAKE}My Workspace.Sales,NON_PROD)", EntityType.DATASET, "My Workspace.Sales"),
    (f"{SNOWFLAKE}margins(2025,2026),DEV)", EntityType.DATASET, "margins(2025,2026)"),
    (f"{SNOWFLAKE}a%2Cb%2c%28c%29 50%,PROD)", EntityType.DATASET, "a,b,(c) 50%"),
    ("urn:li:dataFlow:(airflow,daily,prod-eu)", EntityType.DATA_FLOW, "daily"),
    ("urn:li:dataJob:(urn:li:dataFlow:(airflow,daily,PROD),load)", EntityType.DATA_JOB, "daily.load"),
    ("urn:li:dashboard:(looker,dashboards.thelook::cohort)", EntityType.DASHBOARD, "dashboards.thelook::cohort"),
    ("urn:li:chart:(superset,17)", EntityType.CHART, "17"),
    (
        f"urn:li:schemaField:({SNOWFLAKE}shop.orders,PROD),[version=2.0].[type=int].amount)",
        EntityType.SCHEMA_FIELD,
        "shop.orders.[version=2.0].[type=int].amount",
    ),
    ("urn:li:container:0d0f7c1a", EntityType.CONTAINER, "0d0f7c1a"),
    ("urn:li:dataProduct:customer-360", EntityType.DATA_PRODUCT, "customer-360"),
    ("urn:li:domain:marketing", EntityType.DOMAIN, "marketing"),
    ("urn:li:glossaryTerm:Classification.Public", EntityType.GLOSSARY_TERM, "Classification.Public"),
    ("urn:li:mlFeature:(users,age)", EntityType.ML_FEATURE, "age"),
    ("urn:li:mlFeatureTable:(urn:li:dataPlatform:feast,users)", EntityType.ML_FEATURE_TABLE, "users"),
    ("urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn,PROD)", EntityType.ML_MODEL, "churn"),
    ("urn:li:mlModelGroup:(urn:li:dataPlatform:mlflow,churn,PROD)", EntityType.ML_MODEL_GROUP, "churn"),
    ("urn:li:mlPrimaryKey:(users,id)", EntityType.ML_PRIMARY_KEY, "id"),
    ("urn:li:notebook:(querybook,12)", EntityType.NOTEBOOK, "12"),
]


@pytest.mark.parametrize(("text", "entity_type", "name"), TYPES)
def test_each_type_has_a_name_for_people(text: str, entity_type: EntityType, name: str) -> None:
    urn = parse_urn(text)
    assert urn == Urn(text, entity_type, name)
    assert str(urn) == text


@pytest.mark.parametrize(
    ("text", "offset", "message", "expected"),
    [
        ("", 0, "empty", "urn:li:dataset:(urn:li:dataPlatform:<platform>,<name>,<env>)"),
        ("analytics.public.orders", 0, '"analytics.public.orders" is not a URN; a URN looks like urn:li:dataset:(', ""),
        ("URN:LI:CHART:(a,b)", 0, "is not a URN; URNs begin with lower-case urn:li:", ""),
        ("urn:lj:dataset:(a,b,PROD)", 5, "is not a URN; a URN looks like urn:li:dataset:(", ""),
        ("urn:li:", 7, "ends too early", "one of dataset, dataJob, dataFlow, dashboard, chart"),
        ("urn:li:chart", 12, "ends too early", "urn:li:chart:(<tool>,<id>)"),
        ("urn:li:datajob:(x)", 7, '"datajob"', '"dataJob"'),
        ("urn:li:mlModell:(x)", 7, '"mlModell"', '"mlModel"'),
        ("urn:li:chart:superset", 13, 'no "("', "urn:li:chart:(<tool>,<id>)"),
        ("urn:li:chart:", 13, 'no "("', "urn:li:chart:(<tool>,<id>)"),
        ("urn:li:chart:(a,b", 17, "never closed", "%28"),
        ("urn:li:chart:(a%28,b)c)", 21, '"c)" follows the end', "%29"),
        ("urn:li:chart:(a,b)c)", 18, '"c)" follows the end', "%29"),
        ("urn:li:chart:(a,b,c,d)", 18, "4 parts", "%2C"),
        ("urn:li:chart:(a)", 14, "1 parts", "urn:li:chart:(<tool>,<id>)$"),
        ("urn:li:chart:(,b)", 14, "empty", "urn:li:chart:(<tool>,<id>)"),
        ("urn:li:chart:(a, b)", 16, "a space", "no space here"),
        ("urn:li:chart:(a,b )", 17, "a space", "no space here"),
        (" urn:li:chart:(a,b)", 0, "a space", "no space"),
        ("urn:li:chart:(a,b) ", 18, "a space", "no space"),
        ("urn:li:chart:(a\t,b)", 15, "U+0009", "without control"),
        ("urn:li:chart:(a\u202eb,c)", 15, "U+202E", "without control"),
        ("urn:li:chart:(a,b\u200f)", 17, "U+200F", "without control"),
        ("urn:li:chart:(a␟,b)", 15, "␟", "another character"),
        (f"{SNOWFLAKE}orders,prod)", 53, '"prod"', '"PROD"'),
        (f"{SNOWFLAKE}orders,PRODUCTION)", 53, '"PRODUCTION"', '"PROD"'),
        (f"{SNOWFLAKE}orders,zz)", 53, '"zz"', "one of PROD, DEV"),
        (f"{SNOWFLAKE}a,b,PROD)", 50, "4 parts", "%2C"),
        ("urn:li:dataset:(snowflake,orders,PROD)", 16, '"snowflake" is not a data platform', "urn:li:dataPlatform:"),
        ("urn:li:dataset:(urn:li:dataPlatform:,orders,PROD)", 16, "not a data platform", "urn:li:dataPlatform:"),
        ("urn:li:dataset:(urn:li:dataPlatform:a(b),c,PROD)", 37, '"("', "urn:li:dataPlatform:"),
        ("urn:li:dataJob:(daily,load)", 16, '"daily" is not a data flow', "urn:li:dataFlow:("),
        ("urn:li:dataJob:(urn:li:dataFlow:(a,b),load)", 35, "2 parts", "urn:li:dataFlow:("),
        ("urn:li:dataJob:(urn:li:dataFlow:(a,b,c)d,load)", 39, '"d" follows', "urn:li:dataFlow:("),
        ("urn:li:container:", 17, "ends too early", "urn:li:container:<id>"),
        ("urn:li:mlModel:(mlflow,a,PROD)", 16, '"mlflow" is not a data platform', "urn:li:dataPlatform:"),
        (f"urn:li:schemaField:({SNOWFLAKE}a,prod),x)", 68, '"prod"', '"PROD"'),
        (f"{SNOWFLAKE}{'b' * 600},PROD)", 512, "652 characters", "at most 512"),
    ],
)
def test_malformed_urn_is_reported_with_its_place(text: str, offset: int, message: str, expected: str) -> None:
    with pytest.raises(UrnError) as caught:
        parse_urn(text)
    assert caught.value.offset == offset
    assert message in caught.value.message
    assert expected in f"{caught.value.expected}$"
    wanted = f"; expected {caught.value.expected}" if caught.value.expected else ""
    assert str(caught.value) == f"{caught.value.message}{wanted}"


def test_every_type_is_parsed() -> None:
    assert {kind for _, kind, _ in TYPES} == set(EntityType)


@pytest.mark.parametrize("character", ["\u00a0", "\u3000", "\u200c", "\u200d", "\u2009", "\u00ad", "\ue000"])
def test_a_name_may_hold_the_spaces_and_joiners_of_any_script(character: str) -> None:
    text = f"{SNOWFLAKE}a{character}b{character},PROD)"
    assert parse_urn(text) == Urn(text, EntityType.DATASET, f"a{character}b{character}")


@pytest.mark.parametrize(
    "character", [*"\0\t\n\x1b\x7f\x85\x9f\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069", "\ud800"]
)
def test_a_name_holds_no_control_or_bidirectional_character(character: str) -> None:
    with pytest.raises(UrnError, match=re.escape(f"U+{ord(character):04X}")) as caught:
        parse_urn(f"{SNOWFLAKE}a{character}b,PROD)")
    assert caught.value.offset == len(SNOWFLAKE) + 1


COLUMN = f"urn:li:schemaField:({SNOWFLAKE}orders,PROD),{'a.' * 300}b)"


def test_the_urn_of_a_column_may_be_long() -> None:
    assert parse_urn(COLUMN).name.endswith("a.b")


ORDERS = f"{SNOWFLAKE}shop/a b.orders,PROD)"
ODD = f"{SNOWFLAKE}a%2Cb%28c,PROD)"
JOB = "urn:li:dataJob:(urn:li:dataFlow:(airflow,daily,PROD),load)"


@pytest.mark.parametrize("urn", [ORDERS, ODD, JOB, "urn:li:chart:(superset,17)", "urn:li:container:0d0f7c1a"])
@pytest.mark.parametrize(
    "link",
    [
        lambda urn: quote(urn, safe=""),
        lambda urn: quote(quote(urn, safe=""), safe=""),
        lambda urn: f"https://datahub.acme.com/dataset/{quote(urn, safe='')}/Incidents?is_lineage_mode=false",
        lambda urn: f"http://localhost:9002/tasks/{as_datahub_links(urn)}",
        lambda urn: f"https://acme.acryl.io/pipelines/{as_datahub_links(urn)}/Schema#x",
        lambda urn: f"https://x/chart/{quote(as_datahub_links(urn), safe='')}/Documentation",
        lambda urn: f"https://x/datahub/dashboard/{as_datahub_links(urn)}?a=b",
    ],
)
def test_a_link_or_an_encoded_urn_is_explained_with_the_urn(urn: str, link: Callable[[str], str]) -> None:
    assert extract_urn(link(urn)) == urn
    with pytest.raises(UrnError) as caught:
        parse_urn(link(urn))
    assert "a link to an asset's page" in caught.value.message or "a percent-encoded URN" in caught.value.message
    assert caught.value.expected == urn


def as_datahub_links(urn: str) -> str:
    """As DataHub's own pages write a URN into their addresses."""
    urn = urn.replace("%", "{{encoded_percent}}")
    return re.sub(r"[/?#\[\]]", lambda found: quote(found.group(), safe=""), urn)


@pytest.mark.parametrize(
    "text",
    [
        "https://datahub.acme.com/search?query=orders",
        "https://datahub.acme.com/dataset/urn%3Ali%3Adataset%3A(x",
        "https://datahub.acme.com/dataset/urn:li:corpuser:ana",
        "%",
        "",
        "urn:li:",
    ],
)
def test_another_link_stands_for_no_urn(text: str) -> None:
    assert extract_urn(text) is None


@given(st.text())
def test_the_extract_urn_any_text_is_a_urn(text: str) -> None:
    for candidate in (text, f"http://x/{quote(ORDERS, safe='')}{text}"):
        urn = extract_urn(candidate)
        assert urn is None or parse_urn(urn).text == urn


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
