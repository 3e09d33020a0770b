"""Outcomes of a change at its destinations -> one status -> a tag on the source version, where a stack enables that.

S3 Replication shows its status in a header that nobody else can set; a tag is the next best place. S3 has no
conditional requests for tags: all tags are read, merged and written back. A tag that somebody else sets between these
two requests is lost, and S3 offers no way to prevent that. So the second request follows the first at once, nothing is
written if it would not change anything, and the feature is off by default.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from replicator.core.deciding.journal import Pair
from replicator.core.deciding.result import Result
from replicator.core.outcomes.outcome import Outcome, Permanent, Status, Temporary
from replicator.core.outcomes.replication_status import ReplicationStatus, roll_up, status_of_outcomes
from replicator.core.versions.change import Aspect, Change
from replicator.core.versions.origin import STATUS_TAG, TAG_LIMIT
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
        change, outcomes = results[0].attempt.change, [result.outcome for result in results]
        if change.aspect is not Aspect.CONTENT:
            return
        try:
            status = roll_up([status_of_outcomes(outcomes), *self._elsewhere(change, outcomes)])
            if status in TAGGED:
                self._tag(change, status)
        except (Temporary, Permanent) as trouble:
            self.warn(f"status tag of s3://{change.bucket}/{change.key} {change.version_id} not updated: {trouble}")

    def _tag(self, change: Change, status: ReplicationStatus) -> None:
        version = (change.bucket, change.key, change.version_id)
        tags = self.tagging.tags(*version)
        if tags.get(STATUS_TAG) != status and (STATUS_TAG in tags or len(tags) < TAG_LIMIT):
            self.tagging.put_tags(*version, {**tags, STATUS_TAG: str(status)})

    def _elsewhere(self, change: Change, outcomes: Sequence[Outcome]) -> Iterator[ReplicationStatus]:
        """Yield the status at destinations that are not in `outcomes`, unless it is COMPLETED."""
        concluded = {outcome.destination for outcome in outcomes}
        if concluded in (set(), {""}):
            return
        for candidate in self.services.rules(change.bucket).candidates(change.key):
            if candidate.destination not in concluded:
                pair = Pair(change.bucket, candidate.destination, change.key)
                earlier = self.services.journal.earlier(pair, change.item_id)
                if earlier and earlier.status is not Status.COMPLETED:
                    yield ReplicationStatus(earlier.status)
