"""Which nodes a dbt test belongs to: not every node that its query reads."""

from __future__ import annotations

import re

from incident_gate.select.dbt import NodeKind


def nodes_of_test(*, attached: str | None, parents: tuple[str, ...], model: str | None, unit: bool) -> tuple[str, ...]:
    """The unique ids of the nodes that a test belongs to.

    Args:
        attached: `attached_node`, from dbt 1.5 on.
        parents: `depends_on.nodes`.
        model: The argument `model` of a generic test, a Jinja expression.
        unit: Whether it is a unit test.
    """
    if unit:
        return parents[:1]
    if attached:
        return (attached,)
    if model and len(parents) > 1:
        # dbt 1.4 has no `attached_node` and lists a relationship's other end first; sources never have one.
        return tuple(parent for parent in parents if _is_named(parent, model)) or parents
    return parents


_REFERENCE = re.compile(r"\b(ref|source)\(([^()]*)\)")
_ARGUMENT = re.compile(r"(?:\b(?:v|version)\s*=\s*)['\"]?([^'\",\s]+)|['\"]([^'\"]*)['\"]")


def _is_named(unique_id: str, model: str) -> bool:
    """Whether a generic test's argument, like `{{ get_where_subquery(ref('orders')) }}`, names this node."""
    kind, _, rest = unique_id.partition(".")
    for reference in _REFERENCE.finditer(model):
        versions: list[str] = []
        names: list[str] = []
        for version, name in _ARGUMENT.findall(reference[2]):
            (versions if version else names).append(version or name)
        if not names:
            continue
        if reference[1] == "source":
            found = kind == NodeKind.SOURCE and rest.partition(".")[2] == ".".join(names)
        else:
            package, _, name = rest.partition(".")
            name, _, version = name.partition(".v")
            found = (
                kind != NodeKind.SOURCE
                and name == names[-1]
                and package == (names[0] if len(names) > 1 else package)
                and version == (versions[0] if versions else version)
            )
        if found:
            return True
    return False
