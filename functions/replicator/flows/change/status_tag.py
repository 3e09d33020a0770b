"""Outcomes of a change at its destinations -> one status -> a tag on the source version, where a stack enables that.

S3 Replication shows its status in a header that nobody else can set; a tag is the next best place. S3 has no
conditional requests for tags: all tags are read, merged and written back. A tag that somebody else sets between these
two requests is lost, and S3 offers no way to prevent that. So the second request follows the first at once, nothing is
written if it would not change anything, and the feature is off by default.

A change after the write that waits or has failed makes its version PENDING or FAILED, as S3 does while it synchronises
what changed at a replica (user guide, "Getting replication status information"). One that succeeds at once costs
nothing, and a tag that a user has removed stays away.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from replicator.core.deciding.journal import Pair
from replicator.core.deciding.result import Result
from replicator.core.outcomes.outcome import Permanent, Reason, Status, Temporary
from replicator.core.outcomes.replication_status import ReplicationStatus, roll_up, status_of_outcomes
from replicator.core.versions.change import UNNAMED, Aspect, Change, later_item, version_of
from replicator.core.versions.origin import NULL_VERSION, STATUS_TAG, TAG_LIMIT
from replicator.flows.change.replicate import Services

TAGGED = frozenset({ReplicationStatus.PENDING, ReplicationStatus.COMPLETED, ReplicationStatus.FAILED})


class Tagging(Protocol):
    """The tags of source versions. Both methods raise Temporary or Permanent."""

    def tags(self, bucket: str, key: str, version_id: str) -> Mapping[str, str]:
        """Read the tags of one version."""

    def put_tags(self, bucket: str, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        """Replace the tags of one version."""


@dataclass(frozen=True, slots=True)
class StatusTags:
    """Keeps the status tags of source versions up to date. `warn` logs one line."""

    tagging: Tagging
    services: Services
    warn: Callable[[str], None]

    def update(self, results: Sequence[Result]) -> None:
        """Tag a version with its status. Trouble is only logged: the tag never delays replication."""
        change, told = results[0].attempt.change, [each for each in results if not _is_momentary(each)]
        concluded = frozenset(each.outcome.destination for each in told)
        status = status_of_outcomes(each.outcome for each in told)
        if status not in TAGGED:
            return
        try:
            for version_id, is_first in self._versions(results, status):
                self._update(
                    replace(change, version_id=version_id), status, _Known(change.item_id, concluded, is_first)
                )
        except (Temporary, Permanent) as trouble:
            self.warn(f"status tag of s3://{change.bucket}/{change.key} {change.version_id} not updated: {trouble}")

    def _versions(self, results: Sequence[Result], status: ReplicationStatus) -> Iterator[tuple[str, bool]]:
        """Yield the ids of the versions whose tag may have to be changed, and whether they were copied just now.

        A later change that succeeds at once leaves the tag as it was: it says what the journal has, which that does not
        change.
        """
        attempt = results[0].attempt
        change = attempt.change
        if change.aspect is Aspect.CONTENT:
            yield change.version_id, True
        if not change.amends:
            return
        copied = {each.attempt.change.version_id for result in results for each in result.companions}
        yield from ((version_id, True) for version_id in sorted(copied))
        if status is ReplicationStatus.COMPLETED and not attempt.delivery.has_entry:
            return
        named = [change.version_id] if change.version_id != UNNAMED else self._all_versions(change)
        yield from ((version_id, False) for version_id in named if version_id not in copied)

    def _all_versions(self, change: Change) -> list[str]:
        history = self.services.buckets.source(change.bucket).history(change.key)
        return [entry.version_id for entry in history if entry.is_version]

    def _update(self, change: Change, status: ReplicationStatus, known: "_Known") -> None:
        """Write the tag of one version if it says something else. A later change adds none that a user has removed."""
        version = (change.bucket, change.key, change.version_id)
        whole = roll_up([status, *self._others(change, known)])
        tags = self.tagging.tags(*version)
        before = tags.get(STATUS_TAG)
        if before == whole or not (known.is_first or before in TAGGED):
            return
        if STATUS_TAG in tags or len(tags) < TAG_LIMIT:
            self.tagging.put_tags(*version, {**tags, STATUS_TAG: str(whole)})

    def _others(self, change: Change, known: "_Known") -> Iterator[ReplicationStatus]:
        """Yield the status, unless it is COMPLETED, of all else that the journal has of a version anywhere."""
        if known.concluded == frozenset({""}):  # not even the rules are known
            return
        for candidate in self.services.rules(change.bucket).candidates(change.key):
            pair = Pair(change.bucket, candidate.destination, change.key)
            for version_id in (change.version_id, UNNAMED):
                for item_id, each in self.services.journal.recorded(pair, version_id).items():
                    if each.status is not Status.COMPLETED and not known.covers(candidate.destination, item_id):
                        yield ReplicationStatus(each.status)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the results say: the item id of their change, and the destinations at which they say how it ended.

    is_first: the version was copied just now, so that it has no tag yet.
    """

    item_id: str
    concluded: frozenset[str]
    is_first: bool

    def covers(self, destination: str, item_id: str) -> bool:
        """Return whether an item of the journal is no other: of this change, or of a null version that was replaced."""
        if version_of(item_id) == NULL_VERSION and later_item(item_id) is None and item_id != self.item_id:
            return True
        return item_id == self.item_id and destination in self.concluded


def _is_momentary(result: Result) -> bool:
    """Return whether a later change just waits for its turn: as a rule for seconds, and nothing is known to differ."""
    outcome = result.outcome
    return outcome.status is Status.PENDING and outcome.reason is Reason.BUSY and not result.trail.parked
