"""Outcomes of a change at its destinations -> one word -> a tag on its source version, where a stack wants that.

S3 Replication shows its status as a header that nobody else can set; a tag is the next best place. S3 has no condition
for tags: they are read, merged and written back as a whole. A tag that somebody sets in the moment between our two
requests is lost, and nothing that S3 offers can prevent that; so the second request follows the first at once, nothing
is written that stands there already, and the feature is off unless it is asked for.
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

TOLD = frozenset({ReplicationStatus.PENDING, ReplicationStatus.COMPLETED, ReplicationStatus.FAILED})


class Tagging(Protocol):
    """The tags of source versions. Both methods raise Temporary or Permanent."""

    def tags(self, bucket: str, key: str, version_id: str) -> Mapping[str, str]:
        """Read the tags of one version."""

    def put_tags(self, bucket: str, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        """Replace the tags of one version."""


@dataclass(frozen=True, slots=True)
class StatusTags:
    """Keeps the status tags of source versions. `warn`: takes a line for the log."""

    tagging: Tagging
    services: Services
    warn: Callable[[str], None]

    def update(self, results: Sequence[Result]) -> None:
        """Tag a version with what its destinations came to. Replication never waits for that."""
        change, outcomes = results[0].attempt.change, [result.outcome for result in results]
        if change.aspect is not Aspect.CONTENT:
            return
        try:
            standing = roll_up([status_of_outcomes(outcomes), *self._elsewhere(change, outcomes)])
            if standing in TOLD:
                self._tag(change, standing)
        except (Temporary, Permanent) as trouble:
            self.warn(f"s3://{change.bucket}/{change.key} {change.version_id} keeps its status tag: {trouble}")

    def _tag(self, change: Change, standing: ReplicationStatus) -> None:
        place = (change.bucket, change.key, change.version_id)
        tags = self.tagging.tags(*place)
        if tags.get(STATUS_TAG) != standing and (STATUS_TAG in tags or len(tags) < TAG_LIMIT):
            self.tagging.put_tags(*place, {**tags, STATUS_TAG: str(standing)})

    def _elsewhere(self, change: Change, outcomes: Sequence[Outcome]) -> Iterator[ReplicationStatus]:
        """Say where the version stands at destinations that this delivery did not speak of."""
        spoken = {outcome.destination for outcome in outcomes}
        if spoken in (set(), {""}):
            return
        for candidate in self.services.rules(change.bucket).candidates(change.key):
            if candidate.destination not in spoken:
                pair = Pair(change.bucket, candidate.destination, change.key)
                earlier = self.services.journal.earlier(pair, change.item_id)
                if earlier and earlier.status is not Status.COMPLETED:
                    yield ReplicationStatus(earlier.status)
