"""The types of assets, the form of each one's URN, and the environments that some of them name."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class EntityType(StrEnum):
    """The types of assets, as in their URNs. On which of them a server tracks incidents, the server decides."""

    DATASET = "dataset"
    DATA_JOB = "dataJob"
    DATA_FLOW = "dataFlow"
    DASHBOARD = "dashboard"
    CHART = "chart"
    SCHEMA_FIELD = "schemaField"
    CONTAINER = "container"
    DATA_PRODUCT = "dataProduct"
    DOMAIN = "domain"
    GLOSSARY_TERM = "glossaryTerm"
    ML_FEATURE = "mlFeature"
    ML_FEATURE_TABLE = "mlFeatureTable"
    ML_MODEL = "mlModel"
    ML_MODEL_GROUP = "mlModelGroup"
    ML_PRIMARY_KEY = "mlPrimaryKey"
    NOTEBOOK = "notebook"


FABRICS = (
    "PROD",
    "DEV",
    "TEST",
    "QA",
    "UAT",
    "EI",
    "PRE",
    "STG",
    "NON_PROD",
    "CORP",
    "RVW",
    "PRD",
    "TST",
    "SIT",
    "SBX",
    "SANDBOX",
    "CERT",
)
"""DataHub's environments of a dataset (`FabricType`): the server cannot read a URN with any other."""


class Form(NamedTuple):
    """What a type's URN looks like, for people, and the length of its tuple; 0 without one."""

    text: str
    parts: int = 0

    def __str__(self) -> str:
        return self.text


FORMS = {
    EntityType.DATASET: Form("urn:li:dataset:(urn:li:dataPlatform:<platform>,<name>,<env>)", 3),
    EntityType.DATA_JOB: Form("urn:li:dataJob:(urn:li:dataFlow:(<orchestrator>,<flow>,<cluster>),<job>)", 2),
    EntityType.DATA_FLOW: Form("urn:li:dataFlow:(<orchestrator>,<flow>,<cluster>)", 3),
    EntityType.DASHBOARD: Form("urn:li:dashboard:(<tool>,<id>)", 2),
    EntityType.CHART: Form("urn:li:chart:(<tool>,<id>)", 2),
    EntityType.SCHEMA_FIELD: Form("urn:li:schemaField:(<URN of a dataset>,<field path>)", 2),
    EntityType.CONTAINER: Form("urn:li:container:<id>"),
    EntityType.DATA_PRODUCT: Form("urn:li:dataProduct:<id>"),
    EntityType.DOMAIN: Form("urn:li:domain:<id>"),
    EntityType.GLOSSARY_TERM: Form("urn:li:glossaryTerm:<name>"),
    EntityType.ML_FEATURE: Form("urn:li:mlFeature:(<namespace>,<name>)", 2),
    EntityType.ML_FEATURE_TABLE: Form("urn:li:mlFeatureTable:(urn:li:dataPlatform:<platform>,<name>)", 2),
    EntityType.ML_MODEL: Form("urn:li:mlModel:(urn:li:dataPlatform:<platform>,<name>,<env>)", 3),
    EntityType.ML_MODEL_GROUP: Form("urn:li:mlModelGroup:(urn:li:dataPlatform:<platform>,<name>,<env>)", 3),
    EntityType.ML_PRIMARY_KEY: Form("urn:li:mlPrimaryKey:(<namespace>,<name>)", 2),
    EntityType.NOTEBOOK: Form("urn:li:notebook:(<tool>,<id>)", 2),
}
