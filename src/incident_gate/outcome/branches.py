"""Which runs report outcomes: a decision by the run's kind and branch."""

from __future__ import annotations

import re
from collections.abc import Sequence

from incident_gate.ci.run import Run
from incident_gate.errors import Hint


def why_not_counted(run: Run, patterns: Sequence[str]) -> str:
    """Why this run's outcome does not count by `report-branches`, and what to set; empty if it counts."""
    if run.change:
        return f"This run is {run.change}: it tries out a change, so its outcome is not reported."
    if not run.has_branches or run.tag or _is_included(run, patterns):
        return ""
    if not run.branch:
        return "This run has no branch, so its outcome is not reported. Runs of branches and tags are."
    if patterns:
        why = f"which is not one of the branches that report ({', '.join(patterns)})"
    elif run.default_branch:
        why = f"which is not the default branch {run.default_branch}"
    else:
        why = "and the default branch is not known"
    return Hint(
        "This run is for branch {0}, {1}, so its outcome is not reported. "
        "If its runs write these outputs, include the branch in {report-branches}.",
        run.branch,
        why,
    )


def _is_included(run: Run, patterns: Sequence[str]) -> bool:
    if not run.branch:
        return False
    return any(matches(pattern, run.branch) for pattern in patterns) if patterns else run.branch == run.default_branch


def matches(pattern: str, branch: str) -> bool:
    """Whether a branch matches a pattern: `*` stands for any characters but `/`, `**` for any at all.

    Not by a regular expression: one with several stars tries every way to divide a long name.
    """
    # Several stars in a row are two.
    parts = [part[:2] for part in re.findall(r"\*+|.", pattern.removeprefix("refs/heads/"), re.DOTALL)]
    # The places in the pattern that the characters so far can have led to.
    places = _past_stars({0}, parts)
    for character in branch:
        following = set()
        for place in places:
            part = parts[place] if place < len(parts) else ""
            if part == "**" or (part == "*" and character != "/"):
                following.add(place)
            elif part == character:
                following.add(place + 1)
        places = _past_stars(following, parts)
    return len(parts) in places


def _past_stars(places: set[int], parts: Sequence[str]) -> set[int]:
    """The places, and those behind stars that stand for nothing."""
    return places | {place + 1 for place in places if parts[place : place + 1] in (["*"], ["**"])}
