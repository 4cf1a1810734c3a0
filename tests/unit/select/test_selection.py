from incident_gate.manifest.model import InputEntry, Position
from incident_gate.select.resolve import merged
from incident_gate.select.selection import choose
from incident_gate.urn import Urn, parse_urn
from tests.helpers.selecting import table

A, B, C, D = (parse_urn(table(name)) for name in "abcd")


def together(*assets: tuple[Urn, ...]) -> list[tuple[Urn, ...]]:
    """The URNs of each asset that is left of several."""
    entries = [InputEntry(urns[0], Position(1, 1), alternate_urns=urns[1:]) for urns in assets]
    return [(entry.urn, *entry.alternate_urns) for entry in merged(entries)]


def test_the_first_of_several_entries_takes_on_the_urns_of_the_others() -> None:
    assert together((A,), (B, C), (C, D), (A,)) == [(A,), (B, C, D)]
    assert together((A,), (B,), (C, B, A, D)) == [(A,), (B, C, D)]
    assert together((A, B), (B, C), (D,)) == [(A, B, C), (D,)]


def test_an_asset_whose_urn_cannot_be_asked_for_is_a_problem() -> None:
    choice = choose(["urn:li:dataset:(broken", "broken", "urn:li:query:1", A.text], None)
    assert choice.assets == ((A,),)
    assert [urn for _, urn in choice.problems] == ["urn:li:dataset:(broken", "broken"]
    assert choice.left_out == 1
