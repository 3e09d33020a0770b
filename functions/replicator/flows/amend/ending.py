"""How looking at one version ended, and what looking needs: the values that the modules of this folder share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from replicator.core.deciding.attempt import Attempt
from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.outcome import Reason
from replicator.core.rules.matching import Candidate
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import Aspect
from replicator.flows.ports import Amendable, Forwarding, Journal
from replicator.flows.reading import Reader


class Looked(Enum):
    """What was found."""

    WROTE = "written"
    EQUAL = "everything was as it must be"
    NOT_COPIED = "the version has no replica"


class Skipped(NamedTuple):
    """Nothing is to be done, for this reason."""

    reason: Reason
    detail: str


Ending = Looked | Skipped


class Done(NamedTuple):
    """The ending of one look.

    given: what the replica on top has now, if the journal may rely on that: see Memory. version_id: of the version
    itself, where that may be another one than was named: what was named may be a replica beside it.
    """

    ending: Ending
    given: Mapping[str, str] | None = None
    version_id: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One later change at one destination, with all that looking at it needs.

    attempt: its target has capabilities. source, replicas: the two buckets. source_has_acls: ACLs are enabled in the
    source bucket. serves: this stack has rules for a bucket.
    """

    attempt: Attempt
    candidate: Candidate
    reader: Reader
    source: Amendable
    replicas: Amendable
    source_has_acls: Callable[[], bool]
    journal: Journal
    forwarding: Forwarding
    serves: Callable[[str], bool]
    now: Callable[[], int]
    warn: Callable[[str], None]

    @property
    def pair(self) -> Pair:
        """The pair whose lease is taken."""
        return self.attempt.pair

    def rule(self, tags: Mapping[str, str]) -> Rule:
        """Return the rule of a version. A replica follows its version even if its tags match no rule any more."""
        return self.candidate.select(tags) or self.candidate.rules[0]

    def aspects(self, rule: Rule) -> list[Aspect]:
        """Return the aspects to carry over under a rule: no ACL under owner override, or where ACLs are disabled."""
        amends = self.attempt.change.amends
        return [aspect for aspect in amends if aspect is not Aspect.ACL or self._carries_acls(rule)]

    def _carries_acls(self, rule: Rule) -> bool:
        acls = self.attempt.target.capabilities.acls and not rule.destination.owner_override
        return acls and self.source_has_acls()


def not_carried() -> Skipped:
    """Return the ending of a change of nothing but an ACL that is not carried over."""
    return Skipped(
        Reason.KIND_NOT_REPLICATED, "ACLs are not replicated to it: owner override, or ACLs are disabled at either side"
    )
