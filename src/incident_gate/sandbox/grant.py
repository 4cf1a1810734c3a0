"""What the bearer of a token may do."""

from dataclasses import dataclass

# A grant for whatever token is not named in another one.
ANY_TOKEN = "*"  # noqa: S105 - stands for every token


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token with its privileges.

    Args:
        token: the bearer token.
        actor: URN of the user that acts with it.
        edits: assets whose incidents may be edited; None is all, a `*` at the end of one matches any rest.
        sees: assets that may be viewed, in the same form; others are null.
    """

    token: str
    actor: str = "urn:li:corpuser:datahub"
    edits: tuple[str, ...] | None = None
    sees: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        """Without the token."""
        return f"Grant(actor={self.actor!r}, edits={self.edits!r}, sees={self.sees!r})"

    def may_edit(self, urn: str) -> bool:
        """Whether the privilege Edit Incidents is held on this asset."""
        return _covers(self.edits, urn)

    def may_see(self, urn: str) -> bool:
        """Whether this asset may be viewed."""
        return _covers(self.sees, urn)


def _covers(patterns: tuple[str, ...] | None, urn: str) -> bool:
    if patterns is None:
        return True
    return any(urn.startswith(item[:-1]) if item.endswith("*") else urn == item for item in patterns)
