"""Control buckets of several stacks in memory, as `rules put` and `rules check` use those of both directions."""

from dataclasses import dataclass, field

from s3replicator.failed_calls import CallFailed, FailedCall
from s3replicator.stack_facts import StackFacts


@dataclass
class MemoryPeerFiles:
    """The port `PeerDocuments`. documents, records: by control bucket and source bucket. denied: control buckets."""

    documents: dict[tuple[str, str], bytes] = field(default_factory=dict)
    records: dict[tuple[str, str], bytes] = field(default_factory=dict)
    denied: set[tuple[str, str]] = field(default_factory=set)
    writes: int = 0

    def rules(self, stack: StackFacts, bucket: str) -> bytes | None:
        self._check(stack, "s3:GetObject")
        return self.documents.get((stack.control_bucket, bucket))

    def record(self, stack: StackFacts, bucket: str) -> bytes | None:
        self._check(stack, "s3:GetObject")
        return self.records.get((stack.control_bucket, bucket))

    def keep(self, stack: StackFacts, bucket: str, text: bytes) -> None:
        self._check(stack, "s3:PutObject")
        self.writes += 1
        self.records[stack.control_bucket, bucket] = text

    def forget(self, stack: StackFacts, bucket: str) -> None:
        self._check(stack, "s3:DeleteObject")
        del self.records[stack.control_bucket, bucket]

    def _check(self, stack: StackFacts, action: str) -> None:
        if (stack.control_bucket, action) in self.denied:
            raise CallFailed(FailedCall(action, "AccessDenied"))
