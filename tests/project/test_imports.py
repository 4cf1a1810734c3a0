"""Imports go one way: each folder imports only from the layers below its own."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.metadata import requires
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "incident_gate"
# From the top down. Folders of one layer do not know each other.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"action", "cli"}),
    frozenset({"library"}),
    frozenset({"api"}),
    frozenset({"doctor", "notify"}),
    frozenset({"report"}),
    frozenset({"gate", "outcome", "settings"}),
    frozenset({"select"}),
    frozenset({"ci", "datahub", "dbt", "manifest"}),
    frozenset({"errors", "files", "incident", "json_values", "process", "text", "urn"}),
)
LEVEL = {folder: level for level, layer in enumerate(LAYERS) for folder in layer}
SANDBOX_USERS = {"incident_gate.cli.demo"}
# The lowest layer's modules import each other; `incident_gate` itself has the version, and what the library exports.
PACKAGE = "incident_gate"


def imports() -> Iterator[tuple[str, str]]:
    """Every import of one of our modules by another one, wherever in the module it is."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = [PACKAGE, *path.relative_to(SOURCE).with_suffix("").parts]
        module = ".".join(parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                start = [".".join(parts[: -node.level])] if node.level else []
                origin = ".".join(start + ([node.module] if node.module else []))
                # `from incident_gate import urn` imports a module.
                names = [f"{origin}.{alias.name}" for alias in node.names] + [origin] * (origin != PACKAGE)
            else:
                continue
            yield from ((module, name) for name in names if name.split(".")[0] == PACKAGE)


def folder(module: str) -> str:
    """The part of the package that a module belongs to; the package itself is none."""
    return f"{module}.".split(".")[1]


FOUND = sorted(set(imports()))


def test_every_folder_has_a_layer() -> None:
    folders = {folder(module) for module, _ in FOUND} - {"", "sandbox"}
    assert folders <= LEVEL.keys()


@pytest.mark.parametrize("layer", LAYERS[:-1], ids=lambda layer: ", ".join(sorted(layer)))
def test_imports_go_down(layer: frozenset[str]) -> None:
    wrong = [
        f"{module} imports {name}"
        for module, name in FOUND
        if folder(module) in layer
        and folder(name) in LEVEL
        and folder(name) != folder(module)
        and LEVEL[folder(name)] <= LEVEL[folder(module)]
    ]
    assert wrong == []


def test_no_modules_import_each_other() -> None:
    paths = [path.relative_to(SOURCE).with_suffix("") for path in SOURCE.rglob("*.py") if path.stem != "__init__"]
    modules = {".".join([PACKAGE, *path.parts]) for path in paths}
    graph = {module: {name for importer, name in FOUND if importer == module and name in modules} for module in modules}

    TopologicalSorter(graph).prepare()  # raises CycleError


def test_no_name_of_a_public_class_stands_twice() -> None:
    names = Counter(
        node.name
        for path in SOURCE.rglob("*.py")
        if "sandbox" not in path.parts
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_lowest_modules_import_nothing_from_above() -> None:
    lowest = LAYERS[-1]
    assert [f"{m} imports {n}" for m, n in FOUND if folder(m) in lowest and folder(n) not in lowest | {""}] == []


def test_sandbox_and_product_do_not_know_each_other() -> None:
    inside = [(m, n) for m, n in FOUND if folder(m) == "sandbox" and folder(n) not in {"sandbox", "", "__version__"}]
    outside = [(m, n) for m, n in FOUND if folder(m) != "sandbox" and folder(n) == "sandbox" and m not in SANDBOX_USERS]
    assert (inside, outside) == ([], [])


def test_what_the_action_alone_needs_is_an_extra() -> None:
    """A worker of Airflow gets neither actions-toolkit nor the clients and the cryptography that it depends on."""
    always = {
        re.split(r"[^\w-]", line)[0] for line in requires("datahub-incident-gate") or () if "extra ==" not in line
    }
    users = {path.parent for path in SOURCE.rglob("*.py") if "from actions_toolkit" in path.read_text(encoding="utf-8")}

    assert "httpx" in always
    assert "actions-toolkit" not in always
    assert users == {SOURCE / "action"}
