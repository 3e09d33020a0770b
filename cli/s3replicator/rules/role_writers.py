"""As whom a stack's functions write to a destination: as themselves, or as a role of the destination's account.

Separate from the peers, which ask: the id of such a role is known only where it may be assumed. In S3's events the
writer is the id of the role with the name of the session, and that is the function's.
"""

from collections.abc import Callable

from replicator.core.deciding.accounts import DestinationRoles
from replicator.core.deciding.target import Target

from s3replicator.failed_calls import CallFailed
from s3replicator.stack_facts import StackFacts

UNKNOWN = "ROLE_ID"


class RoleWriters:
    """The writers of one stack. role_id: returns a role's id, or raises CallFailed."""

    def __init__(self, stack: StackFacts, roles: DestinationRoles, role_id: Callable[[str], str]) -> None:
        self._stack = stack
        self._roles = roles
        self._role_id = role_id

    def at(self, target: Target) -> tuple[str, ...]:
        """Return who writes to a destination, each as ROLE_ID:NAME; with that text if the id is not known."""
        role = self._roles.of(target)
        if not role:
            return self._stack.writers
        try:
            known = self._role_id(role)
        except CallFailed:
            known = UNKNOWN
        return tuple(f"{known}:{writer.partition(':')[2]}" for writer in self._stack.writers)

    def advice(self, target: Target) -> str:
        """Return what the stack of another account must be given, so that it drops the echoes of this one."""
        writers = self.at(target)
        named = f"{','.join(writers)} as its PeerPrincipals"
        if not writers[0].startswith(f"{UNKNOWN}:"):
            return named
        name = self._roles.of(target).rpartition("/")[2]
        return (
            f"{named}, where {UNKNOWN} is what `aws iam get-role --role-name {name} --query Role.RoleId` prints there"
        )
