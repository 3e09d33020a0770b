"""An account in memory, as the rules commands use it: documents, buckets, keys, and every write in order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from s3replicator.failed_calls import CallFailed, FailedCall
from s3replicator.rules.bucket_checks import BucketView, KeyView
from s3replicator.rules.peers import FilterView
from s3replicator.stack_facts import StackFacts

ACTIONS = {
    "read": "s3:GetObject",
    "write": "s3:PutObject",
    "remove": "s3:DeleteObject",
    "list": "s3:ListBucket",
    "policy": "sqs:GetQueueAttributes",
    "notifications": "s3:GetBucketNotification",
    "set": "s3:PutBucketNotification",
    "stack": "sqs:ListQueueTags",
    "mapping": "lambda:ListEventSourceMappings",
    "replace": "lambda:UpdateEventSourceMapping",
}


class Crash(Exception):
    """The command was killed here."""


@dataclass
class MemoryAccount:
    """The ports Documents, BucketSettings and Mappings.

    `failing` maps a call to the error code that it fails with; `crash_at` is the number of the call that is killed.
    `stacks`: change queue -> its stack. `filters`: change queue -> the filters of its mapping; a queue that is not
    there has no mapping. `busy`: so many updates of mappings are refused, because an earlier one is under way.
    `unknown_events`: S3 refuses notifications of these. `overwrite` is what somebody else does right after an update.
    """

    documents: dict[str, bytes] = field(default_factory=dict)
    views: dict[str, BucketView] = field(default_factory=dict)
    keys: dict[str, KeyView] = field(default_factory=dict)
    configurations: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    queue_takes: bool = True
    failing: dict[str, str] = field(default_factory=dict)
    crash_at: int | None = None
    somebody_else: dict[str, Any] | None = None
    calls: list[str] = field(default_factory=list)
    stacks: dict[str, StackFacts] = field(default_factory=dict)
    filters: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    busy: int = 0
    unknown_events: set[str] = field(default_factory=set)
    overwrite: Callable[[], None] = lambda: None

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if call in {"write", "remove", "set"}]

    def add(self, name: str, **fields: Any) -> None:
        self.views[name] = BucketView(name, exists=True, **fields)

    def buckets(self) -> tuple[str, ...]:
        self._call("list")
        return tuple(sorted(self.documents))

    def read(self, bucket: str) -> bytes | None:
        self._call("read")
        return self.documents.get(bucket)

    def write(self, bucket: str, text: bytes) -> None:
        self._call("write")
        self.documents[bucket] = text

    def remove(self, bucket: str) -> None:
        self._call("remove")
        del self.documents[bucket]

    def view_source(self, bucket: str) -> BucketView:
        self._call("view")
        return self.views.get(bucket, BucketView(bucket, exists=False))

    def view_destination(self, bucket: str, account: str | None) -> BucketView:
        self._call("view")
        view = self.views.get(bucket, BucketView(bucket, exists=False))
        return replace(view, owner_matches=True) if account and view.exists and view.owner_matches is None else view

    def view_key(self, arn: str) -> KeyView:
        self._call("view")
        return self.keys.get(arn, KeyView(exists=False))

    def queue_takes_from(self, bucket: str) -> bool:
        self._call("policy")
        return self.queue_takes

    def notifications(self, bucket: str, account: str | None = None) -> Mapping[str, Any]:
        self._call("notifications")
        return self.configurations.get(bucket, {})

    def set_notifications(self, bucket: str, configuration: Mapping[str, Any]) -> None:
        self._call("set")
        events = {event for each in configuration.get("QueueConfigurations", ()) for event in each["Events"]}
        if events & self.unknown_events:
            raise CallFailed(FailedCall(ACTIONS["set"], "InvalidArgument"))
        self.configurations[bucket] = dict(configuration if self.somebody_else is None else self.somebody_else)

    def stack_of(self, queue_arn: str) -> StackFacts | None:
        self._call("stack")
        return self.stacks.get(queue_arn)

    def view(self, stack: StackFacts) -> FilterView:
        self._call("mapping")
        if stack.change_queue_arn not in self.filters:
            raise CallFailed(FailedCall(ACTIONS["mapping"], "ResourceNotFoundException", "no event source mapping"))
        return FilterView(stack.change_queue_arn, self.filters[stack.change_queue_arn])

    def replace(self, stack: StackFacts, mapping: str, filters: Mapping[str, Any]) -> None:
        self._call("replace")
        if self.busy:
            self.busy -= 1
            raise CallFailed(FailedCall(ACTIONS["replace"], "ResourceInUseException"))
        self.filters[mapping] = filters
        self.overwrite()

    def _call(self, name: str) -> None:
        if self.crash_at == len(self.calls):
            raise Crash(name)
        self.calls.append(name)
        if name in self.failing:
            raise CallFailed(FailedCall(ACTIONS[name], self.failing[name]))
