"""JUnit XML, as pytest, Maven, Jest and many others write it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import BinaryIO
from xml.parsers import expat

from incident_gate.dbt.stream import Limits
from incident_gate.files import FileError, size
from incident_gate.outcome.results.model import (
    CheckStatus,
    FileResults,
    Moment,
    NoResultsError,
    ReportedResult,
    ResultKeeper,
    ResultKind,
    moment,
)
from incident_gate.text import quote

NAME = "JUnit"
URN_PROPERTY = "datahub.urn"
MAX_TAG = 1 << 20
"""The longest tag or comment: the parser reads it again with every chunk until it is complete."""
MAX_URNS = 100
_MAX_DEPTH = 100
_MAX_NAMES = 1_000
_MAX_TEXT = 4000
_CHUNK = 64 << 10

_SUITES = frozenset({"testsuites", "testsuite"})
# Some writers count these as failures. The first two come with a pass; the others repeat a failure of the case.
_TRIES = {
    **dict.fromkeys(("flakyfailure", "flakyerror"), None),
    "rerunfailure": CheckStatus.FAILED,
    "rerunerror": CheckStatus.ERROR,
}
# A failure is an element of a case, or just a word in its attributes, as what was not run: GoogleTest's form.
_FAILURES = {
    **dict.fromkeys(("failure", "failed", "fail", "false"), CheckStatus.FAILED),
    **dict.fromkeys(("error", "errored", "broken", "timeout", "timedout", "aborted"), CheckStatus.ERROR),
}
_NOT_RUN = frozenset({"notrun", "disabled", "skipped", "ignored", "suppressed", "pending", "todo", "inconclusive"})
_RUN = frozenset({"", "run", "completed", "executed", "finished", "done", "passed", "pass", "ok", "true", "warning"})
_RUN |= {"success", "successful", "succeeded"}
_VERDICTS = ("status", "result", "success", "outcome", "state", "passed")
# Classes that stand for a module that could not be imported, with the module as the test's name, or for the runner:
# those of unittest (a package may follow), nose, jest-junit and pytest.
_LOADER = re.compile(
    r"unittest\.(?:loader|suite)\.\w+(?:\.(.+))?|nose\.failure\.Failure|Test suite failed to run|pytest"
)
# Names that stand for the class, the package or the suite: JUnit's and Gradle's, Go's, unittest's.
_AROUND = re.compile(
    r"initializationError|executionError|classMethod|TestMain|\[\w+ failed\]"
    r"|(?:setUp|tearDown)(?:Class|Module) \((.+)\)"
)
# Names of what failed around tests, which are not run then, and not in the file: Mocha's hooks, Node's files.
_NO_TEST = re.compile(r'"(?:before|after) (?:all|each)" hook|^\S+\.[cm]?[jt]sx?$')


def read(file: BinaryIO, keeper: ResultKeeper) -> FileResults:
    """Read an XML file in a stream.

    Raises:
        FileError: It is not XML, not JUnit's, or beyond a limit.
    """
    names: dict[str, str] = {}
    parser = expat.ParserCreate(intern=names)
    report = _Report(keeper)
    parser.XmlDeclHandler = report.declaration
    parser.StartDoctypeDeclHandler = report.doctype
    parser.StartElementHandler = report.start
    parser.EndElementHandler = report.end
    parser.CharacterDataHandler = report.data
    try:
        _parse(parser, names, file, keeper.limits)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if report.encoding and (not isinstance(error, expat.ExpatError) or error.code in _ENCODING_ERRORS):
            encoding = quote(report.encoding)
            raise FileError(f"is in the encoding {encoding}, which cannot be read: write it in UTF-8") from None
        hint = "the program that writes it may have been stopped"
        raise FileError(f"is not complete XML ({error}): {hint}") from None
    return report.results()


_ENCODING_ERRORS = {
    expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING],
    expat.errors.codes[expat.errors.XML_ERROR_INCORRECT_ENCODING],
}


def _parse(parser: expat.XMLParserType, names: Collection[str], file: BinaryIO, limits: Limits) -> None:
    fed = 0
    while chunk := file.read(_CHUNK):
        limits.check_time()
        parser.Parse(chunk, False)  # noqa: FBT003 - takes no keywords
        fed += len(chunk)
        if fed - parser.CurrentByteIndex > MAX_TAG:
            raise FileError(f"has a tag or comment of more than {size(MAX_TAG)}")
        # The parser keeps every name of an element or attribute to the end.
        if len(names) > _MAX_NAMES or sum(map(len, names)) > MAX_TAG:
            raise FileError(f"has more than {_MAX_NAMES:,} names of elements and attributes, or very long ones")
    parser.Parse(b"", True)  # noqa: FBT003


@dataclass(slots=True)
class _Suite:
    """A suite: its properties may come after its cases. It counts failures that it declares and that it contains."""

    name: str
    file: str
    outer: _Suite | None
    declared: int = 0
    contained: int = 0
    tries: int = 0
    urns: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Case:
    """A case, or a suite's own failure."""

    name: str
    place: str
    class_name: str
    suite: _Suite
    status: CheckStatus = CheckStatus.PASSED
    message: str = ""
    claim: CheckStatus | None = None
    is_stray: bool = False
    urns: list[str] = field(default_factory=list)


class _Report:
    """Receives the parser's events."""

    def __init__(self, keeper: ResultKeeper) -> None:
        self.encoding = ""
        self._keeper = keeper
        self._depth = 0
        self._suite = _Suite("", "", None)
        self._open: list[_Case] = []
        self._text: str | None = None  # of the failure or property that is open
        self._value = ""  # its message or value
        self._written: Moment | None = None
        self._cases: list[_Case] = []
        self._stray = ""

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.encoding = encoding or ""

    def doctype(self, root: str, *_: object) -> None:
        """A document type can define entities, which expand without a bound or read other files."""
        _check_root(_plain(root))
        raise FileError("has a document type definition, which is not read")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise FileError(f"is nested more than {_MAX_DEPTH} levels deep")
        tag = _plain(tag)
        if self._depth == 1:
            _check_root(tag)
        if tag in _SUITES:
            self._open_suite(attributes)
        elif tag == "testcase":
            self._open_case(attributes)
        elif tag in _FAILURES:
            self._suite.contained += 1
            self._value, self._text = attributes.get("message", ""), ""
        elif self._open and tag in _TRIES:
            self._suite.tries += 1
            self._open[-1].claim = self._open[-1].claim or _TRIES[tag]
        elif tag in _NOT_RUN and self._open and not self._open[-1].status.is_bad:
            self._open[-1].status = CheckStatus.SKIPPED
        elif tag == "property" and attributes.get("name") == URN_PROPERTY:
            self._value, self._text = attributes.get("value", ""), ""

    def data(self, text: str) -> None:
        if self._text is not None and len(self._text) < _MAX_TEXT:
            self._text += text[:_MAX_TEXT]

    def end(self, tag: str) -> None:
        self._depth -= 1
        tag = _plain(tag)
        if tag in _FAILURES:
            self._fail(_FAILURES[tag])
        elif tag == "property" and self._text is not None:
            urns = self._open[-1].urns if self._open else self._suite.urns
            urns.append((self._value or self._text).strip())
            self._text = None
            if len(urns) > MAX_URNS:
                raise _too_many_urns()
        elif tag == "testcase" and self._open:
            self._close_case(self._open.pop())
        elif tag in _SUITES:
            self._close_suite()

    def results(self) -> FileResults:
        """What was read."""
        same: dict[tuple[str, ...], tuple[str, ...]] = {}
        found: list[ReportedResult] = []
        for case in self._cases:
            urns = list(case.urns)
            suite: _Suite | None = case.suite
            while suite:
                urns += suite.urns
                suite = suite.outer
            if len(urns) > MAX_URNS:
                raise _too_many_urns()
            each = tuple(dict.fromkeys(filter(None, urns)))
            if each not in same:
                self._keeper.limits.keep(*each, entries=0)
            each = same.setdefault(each, each)
            kind = ResultKind.STRAY if case.is_stray else ResultKind.CHECK
            identity = (case.place, case.class_name, each)
            found.append(ReportedResult(case.name, case.status, case.message, kind, identity, urns=each))
        return FileResults(written=self._written, results=tuple(found), stray=self._stray)

    def _open_suite(self, attributes: Mapping[str, str]) -> None:
        outer = self._suite
        self._suite = _Suite(attributes.get("name") or outer.name, attributes.get("file") or outer.file, outer)
        self._suite.declared = sum(_number(attributes.get(key)) for key in ("failures", "errors"))
        time = moment(attributes.get("timestamp"))
        self._written = min(filter(None, (time, self._written)), default=None)

    def _close_suite(self) -> None:
        suite, outer = self._suite, self._suite.outer
        if not outer:
            return
        outer.contained += suite.contained
        outer.tries += suite.tries
        if suite.declared > suite.contained + suite.tries:
            failures = "failure" if suite.declared == 1 else "failures"
            contained = f"{suite.contained:,}" if suite.contained else "none"
            self._stray = f"is incomplete: it declares {suite.declared:,} {failures} and contains {contained}"
        self._suite = outer

    def _open_case(self, attributes: Mapping[str, str]) -> None:
        class_name, name = intern(attributes.get("classname", "")), attributes.get("name", "")
        is_stray = name == class_name == self._suite.name or bool(_NO_TEST.search(name))
        if loader := _LOADER.fullmatch(class_name):
            class_name, is_stray = loader[1] or "", True
        if around := _AROUND.fullmatch(name):
            name = around[1] or ""
        place = intern(attributes.get("file") or self._suite.file or self._suite.name)
        full_name = ".".join(filter(None, (class_name, name))) or self._suite.name
        case = _Case(full_name, place, class_name, self._suite, is_stray=is_stray or not name)
        words = {attributes.get(key, "").lower() for key in _VERDICTS}
        if words & _NOT_RUN:
            case.status = CheckStatus.SKIPPED
        elif words - _RUN:
            case.status = CheckStatus.UNKNOWN
        case.claim = next((_FAILURES[word] for word in words if word in _FAILURES), None)
        if self._open:
            self._stray = self._stray or f"has a case inside a case ({quote(case.name)})"
        self._open.append(case)

    def _fail(self, status: CheckStatus) -> None:
        case = self._open[-1] if self._open else _Case(self._suite.name, self._suite.file, "", self._suite)
        if case.status is not CheckStatus.ERROR:
            case.status = status
        case.message = case.message or self._keeper.shown(self._value) or self._keeper.shown(self._text)
        self._text = None
        if not self._open:  # a suite that failed as a whole
            case.is_stray = True
            self._close_case(case)

    def _close_case(self, case: _Case) -> None:
        if case.claim and not case.status.is_bad:
            case.status, case.is_stray = case.claim, True
            self._suite.contained += 1
        elif case.status in {CheckStatus.ERROR, CheckStatus.SKIPPED} and not case.class_name:
            case.is_stray = True  # a module that could not be imported, or that was skipped as a whole
        case.is_stray = case.is_stray and (case.status.is_bad or case.status is CheckStatus.SKIPPED)
        if case.is_stray and case.status.is_bad:
            self._stray = self._stray or f"has a failure that belongs to no check ({quote(case.name)})"
        self._keeper.limits.keep(case.name, case.place, case.message, *case.urns)
        self._cases.append(case)


def _too_many_urns() -> FileError:
    return FileError(f"names more than {MAX_URNS} datasets for one case or suite")


def _check_root(tag: str) -> None:
    if tag not in _SUITES:
        raise NoResultsError("is XML, but not of JUnit")


def _plain(tag: str) -> str:
    """A tag without its namespace, in lower case."""
    return tag.rpartition(":")[2].lower()


def _number(text: str | None) -> int:
    found = re.match(r"\s*(\d{1,9})", text or "", re.ASCII)
    return int(found[1]) if found else 0
