"""What the bearer of a token may do."""

from dataclasses import dataclass

from .policy import ViewPolicy, matches

# The token of a grant for every token that no other grant names.
ANY_TOKEN = "*"  # noqa: S105 - matches every token


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token with its privileges.

    Args:
        token: the bearer token.
        actor: URN of the user that acts with it.
        edits: assets with the privilege Edit Incidents; None is all, a `*` at the end of one matches any rest.
        edits_entities: assets with the privilege Edit Entity, in the same form.
        sees: assets that may be viewed, in the same form; others are null.
        views: the view policies where the server has view authorization on: what none of them covers is restricted.
        manages_policies: whether the privileges of other users may be read.
    """

    token: str
    actor: str = "urn:li:corpuser:datahub"
    edits: tuple[str, ...] | None = None
    edits_entities: tuple[str, ...] | None = ()
    sees: tuple[str, ...] | None = None
    views: tuple[ViewPolicy, ...] | None = None
    manages_policies: bool = False

    def __repr__(self) -> str:
        """Without the token."""
        return f"Grant(actor={self.actor!r}, edits={self.edits!r}, sees={self.sees!r}, views={self.views!r})"

    def may_edit(self, urn: str) -> bool:
        """Whether incidents of this asset may be raised and changed: Edit Entity suffices."""
        return _covers(self.edits, urn) or _covers(self.edits_entities, urn)

    def may_see(self, urn: str) -> bool:
        """Whether this asset may be viewed; platforms are seen by everyone."""
        return urn.startswith("urn:li:dataPlatform:") or _covers(self.sees, urn)

    def privileges(self, urn: str | None, *, may_view: bool) -> list[str]:
        """Names of the privileges on an asset, or of those that belong to no asset."""
        if urn is None:
            return ["MANAGE_POLICIES"] if self.manages_policies else []
        held = {
            ("VIEW_ENTITY_PAGE", "VIEW_ENTITY", "GET_ENTITY"): may_view and self.may_see(urn),
            ("EDIT_ENTITY_INCIDENTS",): _covers(self.edits, urn),
            ("EDIT_ENTITY",): _covers(self.edits_entities, urn),
        }
        return [name for names, is_held in held.items() if is_held for name in names]


def _covers(patterns: tuple[str, ...] | None, urn: str) -> bool:
    return patterns is None or matches(patterns, urn)
