"""YAML that is hostile or odd: refused quickly, or explained, by PyYAML's parser in C and by the one in Python."""

import pytest
import yaml

from incident_gate.manifest.model import Mistake, Mistakes, Position, UnreadableError
from incident_gate.manifest.yaml import Kind, ListNode, MappingNode, Node, ScalarNode, read_nodes


@pytest.fixture(params=["c", "python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("PyYAML was built without its parser in C")


def read(text: str) -> Node | None:
    mistakes = Mistakes()
    root = read_nodes(text.encode(), mistakes, {})
    assert not mistakes
    return root


def unreadable(data: bytes | str) -> Mistake:
    with pytest.raises(UnreadableError) as caught:
        read_nodes(data if isinstance(data, bytes) else data.encode(), Mistakes(), {})
    return caught.value.mistake


def complaints(text: str) -> list[Mistake]:
    mistakes = Mistakes()
    read_nodes(text.encode(), mistakes, {})
    return list(mistakes.sorted())


def scalar(text: str) -> ScalarNode:
    node = read(text)
    assert isinstance(node, ScalarNode)
    return node


def test_every_value_has_its_place() -> None:
    root = read("é: 'a😀b'\nlist:\n  - x\n  - [y]\n")
    assert isinstance(root, MappingNode)
    (first, value), (second, items) = root.pairs
    assert isinstance(value, ScalarNode)
    assert isinstance(items, ListNode)
    assert (first.text, first.position) == ("é", Position(1, 1))
    assert (value.text, value.position) == ("a😀b", Position(1, 4))
    assert (second.text, second.position) == ("list", Position(2, 1))
    assert [item.position for item in items.items] == [Position(3, 5), Position(4, 5)]


@pytest.mark.parametrize(
    ("text", "column"),
    [("- abc", 4), ("- 'abc'", 5), ('- "abc"', 5), ('- "\\x61bc"', 3), ("- &a abc", 3), ("- !!str abc", 3)],
)
def test_a_place_inside_a_value_is_reported_where_the_source_shows_it(text: str, column: int) -> None:
    root = read(text)
    assert isinstance(root, ListNode)
    node = root.items[0]
    assert isinstance(node, ScalarNode)
    assert node.text == "abc"
    assert node.at(1) == Position(1, column)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("orders", Kind.TEXT),
        ("yes", Kind.BOOLEAN),
        ("on", Kind.BOOLEAN),
        ("'yes'", Kind.TEXT),
        ("! yes", Kind.TEXT),
        ("!!str yes", Kind.TEXT),
        ("12", Kind.NUMBER),
        ("1.5", Kind.NUMBER),
        ("2027-01-31", Kind.DATE),
        ('"2027-01-31"', Kind.TEXT),
        ("!!int x", Kind.NUMBER),
    ],
)
def test_a_word_is_what_yaml_takes_it_for(text: str, kind: Kind) -> None:
    assert scalar(text).kind is kind


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert scalar("\ufeffa").text == "a"
    assert scalar("\ufeffa").position == Position(1, 1)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "~", "--- null\n...\n"])
def test_a_file_without_content_is_nothing(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("data", "line", "column", "message", "expected"),
    [
        (b"- a\n- \xff", 2, 3, "the byte 0xFF is not UTF-8", "UTF-8"),
        (b"\xef\xbb\xbf- \xff", 1, 3, "the byte 0xFF is not UTF-8", "UTF-8"),
        ("- a".encode("utf-16"), 1, 1, "the byte 0xFF is not UTF-8", "UTF-8"),
        (b"- a\r\n- \x07", 2, 3, "U+0007", "YAML allows"),
        ("- é\x7f".encode(), 1, 4, "U+007F", "YAML allows"),
        (b"a:\n\t- b\n", 2, 1, "tabs are not allowed for indentation; use spaces", ""),
        (b"a: b: c\n", 1, 5, 'a value is cut at ": "; put it in quotes', ""),
        (b"\xef\xbb\xbf\xef\xbb\xbf[", 1, 2, "this is not YAML", ""),
        (b"- &a [*a]\n", 1, 7, '"&a"', "an anchor's name"),
        (b"- *nowhere\n", 1, 3, '"&nowhere"', "an anchor's name"),
        (b"a: 1\n---\nb: 2\n", 2, 1, "a second YAML document", "one document"),
        (b"[" * 900, 1, 21, "nested too deeply", "at most 20"),
        (b"- " * 10_000, 1, 41, "nested too deeply", "at most 20"),
        (b"x" * (3 * 1024 * 1024), 1, 1, "3,145,728 bytes", "at most 2,097,152 (2 MiB)"),
    ],
)
def test_what_cannot_be_read_is_reported_with_its_place(
    data: bytes, line: int, column: int, message: str, expected: str
) -> None:
    mistake = unreadable(data)
    assert mistake.position == Position(line, column)
    assert message in mistake.message
    assert expected in mistake.expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [b\n", 1),
        ("[", 1),
        ("a: [\n  b\n\n\n", 2),
        ("- 'x", 1),
        ("- @x", 1),
        ("- !u!x y", 1),
        ("%YAML 9.9\n---\na", 1),
        ('- "\\UFFFFFFFF"', 1),
    ],
)
def test_what_is_not_yaml_is_reported_on_its_line(text: str, line: int) -> None:
    mistake = unreadable(text)
    assert mistake.message.startswith("this is not YAML: ")
    assert mistake.message.isprintable()
    assert mistake.position.line == line


def test_an_unclosed_bracket_is_reported_with_the_line_where_it_opens() -> None:
    assert unreadable("a: [b,\n  c\n\n").message.endswith("that begins in line 1")


@pytest.mark.parametrize(
    ("text", "position", "message", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", Position(3, 1), 'the key "a" is a duplicate of line 1', "each key once"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n", Position(3, 3), "the merge key << is not supported", "the keys themselves"),
        ("? [a, b]\n: c\n", Position(1, 3), "a list cannot be a key", "a word, then a colon"),
        ("{a: b}: c\n", Position(1, 1), "a group of keys cannot be a key", "a word, then a colon"),
        *(
            (f"- {value}", Position(1, 3), "the tag ", "a value without a tag")
            for value in ("!!python/object/apply:os.system [ls]", "!Ref x", "!!binary YQ==", "!!set {}")
        ),
    ],
)
def test_what_no_manifest_needs_is_refused(text: str, position: Position, message: str, expected: str) -> None:
    (mistake,) = complaints(text)
    assert mistake.position == position
    assert mistake.message.startswith(message)
    assert mistake.expected.startswith(expected)


def test_a_standard_tag_is_accepted() -> None:
    assert complaints("- !!map {a: !!str b}\n- !!seq [!!int 1, ! x]\n") == []


def test_an_alias_stands_for_its_value_at_its_own_place() -> None:
    root = read("- &u abc\n- *u\n- &l [x]\n- *l\n")
    assert isinstance(root, ListNode)
    word, again = root.items[0], root.items[1]
    assert isinstance(word, ScalarNode)
    assert isinstance(again, ScalarNode)
    assert (again.text, again.position, again.at(2)) == ("abc", Position(2, 3), Position(2, 3))
    assert root.items[3] == ListNode(Position(4, 3), [ScalarNode(Position(3, 7), "x", Kind.TEXT, 0)])


def test_a_file_that_doubles_itself_is_refused_early() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    mistake = unreadable(bomb)
    assert "too many values" in mistake.message
    assert mistake.position.line < 25
