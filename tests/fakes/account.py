"""An account in memory, as the rules commands use it: documents, buckets, keys, and every write in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from s3replicator.failed_calls import CallFailed, FailedCall
from s3replicator.rules.bucket_checks import BucketView, KeyView

ACTIONS = {
    "read": "s3:GetObject",
    "write": "s3:PutObject",
    "remove": "s3:DeleteObject",
    "list": "s3:ListBucket",
    "policy": "sqs:GetQueueAttributes",
    "notifications": "s3:GetBucketNotification",
    "set": "s3:PutBucketNotification",
}


class Crash(Exception):
    """The command was killed here."""


@dataclass
class MemoryAccount:
    """The ports Documents and BucketSettings.

    `failing` maps a call to the error code that it fails with; `crash_at` is the number of the call that is killed.
    """

    documents: dict[str, bytes] = field(default_factory=dict)
    views: dict[str, BucketView] = field(default_factory=dict)
    keys: dict[str, KeyView] = field(default_factory=dict)
    configurations: dict[str, dict[str, Any]] = field(default_factory=dict)
    queue_takes: bool = True
    failing: dict[str, str] = field(default_factory=dict)
    crash_at: int | None = None
    somebody_else: dict[str, Any] | None = None
    calls: list[str] = field(default_factory=list)

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

    def notifications(self, bucket: str) -> Mapping[str, Any]:
        self._call("notifications")
        return self.configurations.get(bucket, {})

    def set_notifications(self, bucket: str, configuration: Mapping[str, Any]) -> None:
        self._call("set")
        self.configurations[bucket] = dict(configuration if self.somebody_else is None else self.somebody_else)

    def _call(self, name: str) -> None:
        if self.crash_at == len(self.calls):
            raise Crash(name)
        self.calls.append(name)
        if name in self.failing:
            raise CallFailed(FailedCall(ACTIONS[name], self.failing[name]))
