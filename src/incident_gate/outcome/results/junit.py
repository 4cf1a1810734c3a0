"""JUnit XML, as pytest, Maven, Jest and many others write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.etree.ElementTree import ParseError, XMLParser

from incident_gate.files import FileError
from incident_gate.outcome.results.model import Check, Content, NoResultsError, Verdict
from incident_gate.outcome.results.wording import one_line, unix_time

NAME = "JUnit"
URN_PROPERTY = "datahub.urn"
MAX_CASES = 100_000
_MAX_DEPTH = 100
_MAX_TEXT = 4000
_CHUNK = 64 << 10

_SUITES = frozenset({"testsuites", "testsuite"})
# `flakyFailure` and `flakyError` come with a pass; `rerunFailure` comes with the failure that it repeats.
_BAD = {"failure": Verdict.FAILED, "error": Verdict.ERROR}
# GoogleTest and others mark what was not run by an attribute.
_NOT_RUN = frozenset({"notrun", "disabled", "skipped", "ignored", "suppressed"})


def read(file: BinaryIO) -> Content:
    """Read an XML file in a stream, so that memory is bounded by what is kept.

    Raises:
        FileError: It is not XML, not JUnit's, or beyond a limit.
    """
    report = _Report()
    # Safe, because `doctype` refuses what the known attacks need: entities of the document's own.
    parser = XMLParser(target=report)  # noqa: S314
    try:
        while chunk := file.read(_CHUNK):
            parser.feed(chunk)
        parser.close()
    except ParseError as error:
        raise FileError(f"is not complete XML: {error}") from None
    except (ValueError, LookupError):  # an encoding that does not exist
        raise FileError("is not complete XML") from None
    return report.content()


@dataclass(slots=True)
class _Case:
    """A case that is open, or a suite's own failure."""

    name: str
    verdict: Verdict = Verdict.PASSED
    message: str = ""
    urns: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Suite:
    """A suite that is open: its properties may come after its cases."""

    name: str
    urns: list[str] = field(default_factory=list)
    cases: list[_Case] = field(default_factory=list)


class _Report:
    """Receives the parser's events."""

    def __init__(self) -> None:
        self._depth = 0
        self._suites: list[_Suite] = []
        self._case: _Case | None = None
        self._text: list[str] | None = None  # of the failure or property that is open
        self._text_length = 0
        self._message = ""
        self._property = ""
        self._times: list[float] = []
        self._cases: list[_Case] = []
        self._declared = 0  # failures and errors, as the root counts them
        self._listed = 0

    def content(self) -> Content:
        """What was read."""
        checks = tuple(
            Check(case.name, case.verdict, case.message, urns=tuple(dict.fromkeys(case.urns))) for case in self._cases
        )
        problem = ""
        if self._declared > self._listed:
            problem = f"counts {self._declared:,} failures and errors but lists {self._listed:,}"
        return Content(time=min(self._times, default=None), checks=checks, problem=problem)

    def doctype(self, _name: str, _public: str, _system: str) -> None:
        """A document type can define entities, which expand without a bound or read other files."""
        raise FileError("has a document type definition, which is not read")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise FileError(f"is nested more than {_MAX_DEPTH} levels deep")
        tag = _local(tag)
        if self._depth == 1:
            if tag not in _SUITES:
                raise NoResultsError("is XML, but not of JUnit")
            self._declared = _number(attributes.get("failures")) + _number(attributes.get("errors"))
        if tag in _SUITES:
            self._suites.append(_Suite(attributes.get("name", "")))
            time = unix_time(attributes.get("timestamp"))
            if time:
                self._times.append(time)
        elif tag == "testcase":
            self._case = self._open_case(attributes)
        elif tag in _BAD:
            self._listed += 1
            self._message = attributes.get("message", "")
            self._text, self._text_length = [], 0
        elif tag == "skipped" and self._case and not self._case.verdict.is_bad:
            self._case.verdict = Verdict.SKIPPED
        elif tag == "property" and attributes.get("name") == URN_PROPERTY:
            self._property = attributes.get("value", "")
            self._text, self._text_length = [], 0

    def data(self, text: str) -> None:
        """Text inside the element that is open."""
        if self._text is not None and self._text_length < _MAX_TEXT:
            self._text.append(text[:_MAX_TEXT])
            self._text_length += len(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        self._depth -= 1
        tag = _local(tag)
        if tag in _BAD:
            self._fail(_BAD[tag])
        elif tag == "property" and self._text is not None:
            urn = (self._property or "".join(self._text)).strip()
            owner = self._case or (self._suites[-1] if self._suites else None)
            if owner and urn:
                owner.urns.append(urn)
            self._text = None
        elif tag == "testcase" and self._case:
            self._keep(self._case)
            self._case = None
        elif tag in _SUITES and self._suites:
            self._close_suite()

    def close(self) -> None:
        """The document ends."""

    def _open_case(self, attributes: Mapping[str, str]) -> _Case:
        names = (attributes.get("classname"), attributes.get("name"))
        case = _Case(".".join(name for name in names if name))
        if {attributes.get("status", "").lower(), attributes.get("result", "").lower()} & _NOT_RUN:
            case.verdict = Verdict.SKIPPED
        return case

    def _fail(self, verdict: Verdict) -> None:
        case = self._case or _Case(self._suites[-1].name if self._suites else "")
        if case.verdict is not Verdict.ERROR:
            case.verdict = verdict
        case.message = case.message or one_line(self._message) or one_line("".join(self._text or ()))
        self._text = None
        if case is not self._case:  # a suite that failed as a whole
            self._keep(case)

    def _keep(self, case: _Case) -> None:
        self._cases.append(case)
        if len(self._cases) > MAX_CASES:
            raise FileError(f"has more than {MAX_CASES:,} cases")
        if self._suites:
            self._suites[-1].cases.append(case)

    def _close_suite(self) -> None:
        suite = self._suites.pop()
        if suite.urns:
            for case in suite.cases:
                case.urns += suite.urns
        if self._suites:
            self._suites[-1].cases += suite.cases


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - digits
