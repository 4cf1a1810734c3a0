"""The manifest's keys: the one place where its format is defined, for the decoder and the JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from incident_gate.incident import INCIDENT_TYPES, Priority
from incident_gate.manifest.decode import Key, ListOf, Record, Table, Variants, field_of
from incident_gate.manifest.model import (
    Dbt,
    DbtUrns,
    IncidentTemplate,
    InputEntry,
    OnFailingAssertion,
    OnIncident,
    OnUnknown,
    OutputEntry,
    OutputSelector,
    Position,
    Rules,
    Search,
    Selector,
    UpstreamOf,
    Waiver,
)
from incident_gate.manifest.scalars import AssetUrn, Choice, Schema, Text
from incident_gate.manifest.yaml import Kind
from incident_gate.urn import FABRICS, Urn

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = r"^[1-9][0-9]{0,5}[smhd]$"
_URN_TAIL = r"\S(.*\S)?$"  # names of tags and users may hold spaces


def _duration(text: str) -> timedelta:
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def _urn(entity: str) -> Text:
    """The URN of something that is no asset."""
    return Text(f"urn:li:{entity}:<name>", pattern=f"^urn:li:{entity}:{_URN_TAIL}")


def _words(enum: type[StrEnum], *only: str) -> Choice:
    return Choice({member.value: member for member in enum if not only or member.value in only})


_NAME = Text(max_length=200)
_PATH = Text("a path", max_length=1_000)
_OWNER = Text("urn:li:corpuser:<name> or urn:li:corpGroup:<name>", pattern=f"^urn:li:(corpuser|corpGroup):{_URN_TAIL}")
_PLATFORM = Text(
    "a platform such as snowflake, or urn:li:dataPlatform:<name>",
    pattern=r"^(urn:li:dataPlatform:)?[^\s:(),]+$",
    convert=lambda text: f"urn:li:dataPlatform:{text.removeprefix('urn:li:dataPlatform:')}",
)
_DAY = Text("a day such as 2027-01-31", pattern=r"^\d{4}-\d{2}-\d{2}$", kind=Kind.DATE, convert=date.fromisoformat)
_AGE = Text("a duration such as 24h or 7d", pattern=_DURATION, convert=_duration)
_COUNT = Text("a number from 1 to 20000", pattern=r"^([1-9]\d{0,3}|1\d{4}|20000)$", kind=Kind.NUMBER, convert=int)
_FLAG = Choice({"true": True, "false": False})
_TYPE = Choice({word: word for word in INCIDENT_TYPES})
_PRIORITY = Choice(Priority.__members__)
_ENVIRONMENT = Choice({fabric: fabric for fabric in FABRICS})

_RULES = {
    "on-incident": Key(_words(OnIncident), "What an incident does to the run."),
    "on-unknown": Key(_words(OnUnknown), "What to do when the asset's health could not be established."),
    "on-failing-assertion": Key(
        _words(OnFailingAssertion), "What a failing assertion does to the run. Default: ignore."
    ),
    "assertion-max-age": Key(_AGE, "A result of an assertion that is older is unknown."),
    "types": Key(ListOf(_TYPE, frozenset, min_items=1), "Only incidents of these types count. Default: all."),
    "min-priority": Key(
        _PRIORITY, "Only incidents of this priority or a more severe one count; one without a priority always does."
    ),
    "siblings": Key(
        _FLAG, "Whether incidents of the asset's siblings (a dbt model and its table) count too. Default: true."
    ),
}
_ASSET = Key(AssetUrn(), "The asset's URN, as DataHub shows it.", required=True)
_NAMED = Key(_NAME, "Shown instead of the name in the URN.")


def _ruled(values: dict[str, Any]) -> dict[str, Any]:
    """Move the rules among the values into a field of their own."""
    rules = {name: values.pop(name) for name in Rules._fields if name in values}
    return values | {"rules": Rules(**rules)} if rules else values


def _input(position: Position, urn: Urn, **values: Any) -> InputEntry:
    return InputEntry(urn, position, **_ruled(values)) if values else InputEntry(urn, position)


def _dbt(dbt: Dbt, urns: DbtUrns | None = None) -> Dbt:
    return dbt._replace(urns=urns or dbt.urns)


def _dbt_outputs(position: Position, dbt: Dbt, urns: DbtUrns | None = None, **values: Any) -> OutputSelector:
    return OutputSelector(_dbt(dbt, urns), position, **values)


def _incident(**values: Any) -> IncidentTemplate:
    return IncidentTemplate(**values, sets_type="type" in values)


_WAIVER = Record(
    "Waiver",
    {
        "incident": Key(_urn("incident"), "The incident to ignore."),
        "assertion": Key(_urn("assertion"), "The failing assertion to ignore."),
        "until": Key(_DAY, "The last day on which it is ignored.", required=True),
        "reason": Key(Text("one line that says why"), "Why, for the readers of the report.", required=True),
    },
    Waiver,
    has_position=True,
    one_of=("incident", "assertion"),
)
_IGNORE = Key(ListOf(_WAIVER), "Incidents and assertions that are known and ignored, each until a day.")
_SELECTED = {
    "name": Key(_NAME, "Shown instead of the selector."),
    "at-most": Key(_COUNT, "More assets than this are an error. Default: 500."),
    "may-be-empty": Key(_FLAG, "Whether nothing selected is fine. Default: false."),
}


def _selector(name: str, keys: Mapping[str, Key], make: Callable[..., UpstreamOf | Search | Dbt]) -> Record:
    """A selector among the inputs, which takes the keys of an entry as well."""

    def selector(position: Position, **values: Any) -> Selector:
        own = {field: values.pop(field) for field in map(field_of, keys) if field in values}
        return Selector(make(**own), position, **_ruled(values))

    return Record(name, {**keys, **_SELECTED, **_RULES, "ignore": _IGNORE}, selector, has_position=True)


_INPUT = Record(
    "InputEntry",
    {"urn": _ASSET, "name": _NAMED, **_RULES, "ignore": _IGNORE},
    _input,
    has_position=True,
    shorthand="urn",
)
_UPSTREAM = _selector(
    "UpstreamSelector",
    {
        "upstream-of": Key(
            ListOf(AssetUrn(), min_items=1, single=True, word="outputs"),
            "The assets from which these are made; `outputs` stands for the manifest's own.",
            required=True,
        ),
        "hops": Key(Choice({"1": 1, "2": 2, "all": "all"}), "How far to go. Default: 1."),
    },
    lambda upstream_of, hops=1: UpstreamOf(upstream_of, hops),
)


def _several(shape: Text | Choice, doc: str) -> Key:
    return Key(ListOf(shape, min_items=1, single=True), doc)


_SEARCH = _selector(
    "SearchSelector",
    {
        "search": Key(
            Record(
                "Search",
                {
                    "tags": _several(_urn("tag"), "Assets with one of these tags."),
                    "terms": _several(_urn("glossaryTerm"), "Assets with one of these glossary terms."),
                    "domains": _several(_urn("domain"), "Assets of one of these domains."),
                    "data-products": _several(_urn("dataProduct"), "Assets of one of these data products."),
                    "owners": _several(_OWNER, "Assets of one of these users or groups."),
                    "platforms": _several(_PLATFORM, "Assets of one of these platforms."),
                    "containers": _several(_urn("container"), "Assets in one of these containers."),
                    "env": _several(_ENVIRONMENT, "Assets of one of these environments."),
                    "query": Key(Text(), "A text to search for, as in DataHub's search bar."),
                },
                Search,
                not_empty=True,
            ),
            "The assets that match every condition; alternatives within one condition.",
            required=True,
        ),
    },
    lambda search: search,
)
_URNS = Key(_words(DbtUrns), "Which of a node's two URNs count. Default: both.")
_DBT = Key(
    Record(
        "Dbt",
        {
            "manifest": Key(
                ListOf(_PATH, min_items=1, single=True), "dbt's manifest.json, or several of them.", required=True
            ),
            "select": _several(Text("a pattern of unique ids, or tag:<name>"), "Only these nodes."),
            "nodes": Key(_PATH, "A file that `dbt ls --output json` wrote: only the nodes in it."),
            "target-platform": Key(_NAME, "The warehouse's platform. Default: the adapter named in the file."),
            "target-platform-instance": Key(_NAME, "The warehouse's platform instance."),
            "platform-instance": Key(_NAME, "dbt's platform instance."),
            "env": Key(_ENVIRONMENT, "The environment. Default: PROD."),
            "convert-urns-to-lowercase": Key(_FLAG, "As in DataHub's recipe; unset differs from false."),
            "include-database-name": Key(_FLAG, "As in DataHub's recipe. Default: true."),
            "use-identifiers": Key(_FLAG, "As in DataHub's recipe. Default: false."),
            "urns": _URNS,
        },
        Dbt,
        shorthand="manifest",
    ),
    "dbt's manifest.json: its sources among inputs, what the project builds among outputs.",
    required=True,
)
_DBT_INPUTS = _selector("DbtInputs", {"dbt": _DBT, "urns": _URNS}, _dbt)

_TEMPLATE = Record(
    "Incident",
    {
        "type": Key(_TYPE, "The incident's type. Default: OPERATIONAL."),
        "custom-type": Key(_NAME, "The name of a type of your own.", only_with=("type", "CUSTOM")),
        "title": Key(Text(), "The incident's title. Default: generated."),
        "description": Key(Text("a text", 10_000, multiline=True), "Text before the generated description."),
        "priority": Key(_PRIORITY, "The incident's priority."),
        "assignees": Key(ListOf(_OWNER), "The users or groups to assign it to."),
    },
    _incident,
)
_RAISED = Key(_TEMPLATE, "The incident that a failed job raises.")
_OUTPUT = Record(
    "OutputEntry",
    {
        "urn": _ASSET,
        "name": _NAMED,
        "incident": _RAISED,
        "checks": _several(Text("a pattern of full names"), "The checks in results files that belong to this output."),
    },
    OutputEntry,
    has_position=True,
    shorthand="urn",
)
_DBT_OUTPUTS = Record(
    "DbtOutputs", {"dbt": _DBT, "urns": _URNS, **_SELECTED, "incident": _RAISED}, _dbt_outputs, has_position=True
)

_SLACK_ID = Text("a Slack id such as U0123ABC", 30, pattern=r"^[USW][A-Z0-9]+$")
_DEFAULTS: Mapping[str, Key] = _RULES | {
    "on-incident": Key(_words(OnIncident, "block", "warn"), "What an incident does to the run."),
}

INPUTS = ListOf(
    Variants({"urn": _INPUT, "upstream-of": _UPSTREAM, "search": _SEARCH, "dbt": _DBT_INPUTS}), unique="urn"
)
OUTPUTS = ListOf(Variants({"urn": _OUTPUT, "dbt": _DBT_OUTPUTS}), unique="urn")
MANIFEST = Record(
    "Manifest",
    {
        "version": Key(Choice({"1": 1}), "The version of this file's format."),
        "defaults": Key(Record("Defaults", _DEFAULTS, Rules), "Rules for every input that has none of its own."),
        "inputs": Key(INPUTS, "The assets that must be healthy before the job runs."),
        "outputs": Key(OUTPUTS, "The assets that the job writes."),
        "people": Key(Table(_OWNER, _SLACK_ID), "The Slack ids of users and groups."),
    },
    dict,
    shorthand="inputs",
)


def manifest_schema() -> Schema:
    """The JSON Schema of a manifest: draft 7, which every editor's YAML support knows."""
    definitions: Schema = {}
    named = {key: {"required": [key], "properties": {key: {"minItems": 1}}} for key in ("inputs", "outputs")}
    schema: Schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "DataHub Incident Gate manifest",
        "description": "The DataHub assets that a job reads (inputs) and writes (outputs). A plain list is all inputs.",
        "if": {"type": "array"},
        "then": INPUTS.schema(definitions) | {"minItems": 1},
        # One of the two is not empty.
        "else": MANIFEST.object_schema(definitions) | {"if": {"not": named["outputs"]}, "then": named["inputs"]},
    }
    return schema | {"definitions": dict(sorted(definitions.items()))}
