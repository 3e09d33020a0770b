"""Whose the buckets are, and which role the functions assume for a destination, as the stack's parameters say.

    222222222222=arn:aws:iam::222222222222:role/replica-writer,archive-*=arn:aws:iam::333333333333:role/archivist

Separate from a rule's `Destination`: rules are S3's own documents, and whom the functions act as is a matter of the
stack, whose own roles are permitted to assume exactly these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from replicator.core.deciding.bucket_names import includes
from replicator.core.deciding.target import Target


@dataclass(frozen=True, slots=True)
class DestinationRoles:
    """The ARNs of roles, by the 12 digits of an account, by a bucket's name, or by a name with `*` for any characters.

    A bucket's own entry wins over one with `*`, the longest of which wins over the others, and over its account's.
    """

    entries: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "DestinationRoles":
        """Read entries ACCOUNT_OR_BUCKET=ROLE_ARN, joined by commas. Raises ValueError for any other entry."""
        entries: dict[str, str] = {}
        for entry in filter(None, (each.strip() for each in text.split(","))):
            whose, _equals, role = entry.partition("=")
            if not whose or ":role/" not in role:
                raise ValueError(f"not ACCOUNT_OR_BUCKET=ROLE_ARN: {entry!r}")
            entries.setdefault(whose, role)
        return cls(entries)

    def of(self, target: Target) -> str:
        """Return the ARN of the role for a destination; empty for the functions' own roles."""
        buckets = {whose: role for whose, role in self.entries.items() if not _is_account(whose)}
        if target.bucket in buckets:
            return buckets[target.bucket]
        matching = [whose for whose in buckets if includes([whose], target.bucket)]
        return buckets[max(matching, key=len)] if matching else self.entries.get(target.account, "")

    @property
    def names(self) -> frozenset[str]:
        """The roles' names, as ARNs of their sessions have them: without a path."""
        return frozenset(role.rpartition("/")[2] for role in self.entries.values())


@dataclass(frozen=True, slots=True)
class Accounts:
    """source: the account that owns the source buckets; empty if it is not checked.

    roles, session_name, external_id: which roles are assumed, under which name, and what their trust policies may ask
    for; empty for nothing.
    """

    source: str = ""
    roles: DestinationRoles = field(default_factory=DestinationRoles)
    session_name: str = ""
    external_id: str = ""


def _is_account(whose: str) -> bool:
    return len(whose) == 12 and whose.isdigit()
