from incident_gate.select.selection import choose, merged
from incident_gate.urn import parse_urn
from tests.helpers.selecting import table

A, B, C, D = (parse_urn(table(name)) for name in "abcd")


def test_the_first_of_several_entries_takes_on_the_urns_of_the_others() -> None:
    assert merged([(A,), (B, C), (C, D), (A,)]) == {0: (A,), 1: (B, C, D)}


def test_an_entry_between_two_others_joins_the_first() -> None:
    assert merged([(A,), (B,), (C, B, A, D)]) == {0: (A,), 1: (B, C, D)}


def test_nothing_is_lost() -> None:
    kept = merged([(A, B), (B, C), (D,)])
    assert {urn for urns in kept.values() for urn in urns} == {A, B, C, D}


def test_an_asset_whose_urn_cannot_be_asked_for_is_a_problem() -> None:
    choice = choose(["urn:li:dataset:(broken", "urn:li:query:1", A.text], None)
    assert choice.assets == ((A,),)
    assert [urn for _, urn in choice.problems] == ["urn:li:dataset:(broken"]
    assert choice.left_out == 1
