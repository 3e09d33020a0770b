"""Inspect everything that rules depend on: source -> its events -> destinations -> keys, with findings in that order.

Used by `rules put` and `rules check`; it only reads. `bucket_checks` decides what is a finding.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from replicator.core.rules.matching import RuleSet

from s3replicator import bucket_notifications
from s3replicator.failed_calls import CallFailed
from s3replicator.findings import Finding, error, warning
from s3replicator.rules.bucket_checks import BucketView, KeyView, check_destination, check_key, check_source
from s3replicator.stack_facts import StackFacts


class BucketSettings(Protocol):
    """Settings of buckets, keys and the change queue. Views keep failed calls; the other methods raise CallFailed."""

    def view_source(self, bucket: str) -> BucketView:
        """Read the settings of a source bucket."""
        ...

    def view_destination(self, bucket: str, account: str | None) -> BucketView:
        """Read the settings of a destination bucket; with an account, also whether that account owns it."""
        ...

    def view_key(self, arn: str) -> KeyView:
        """Read the state of a KMS key, by its ARN or the ARN of an alias."""
        ...

    def queue_takes_from(self, bucket: str) -> bool:
        """Return whether the change queue's policy lets S3 send the events of this bucket."""
        ...

    def notifications(self, bucket: str, account: str | None = None) -> Mapping[str, Any]:
        """Return a bucket's notification configuration in S3's shape. account: of a destination, if a rule names it."""
        ...

    def set_notifications(self, bucket: str, configuration: Mapping[str, Any]) -> None:
        """Replace a bucket's notification configuration."""
        ...


class Inspection:
    """Inspects what rules depend on, for one stack."""

    def __init__(self, stack: StackFacts, buckets: BucketSettings) -> None:
        self._stack = stack
        self._buckets = buckets

    def inspect(self, rules: RuleSet) -> Iterator[Finding]:
        """Yield what is wrong with the buckets and keys of these rules."""
        source = self._buckets.view_source(rules.bucket)
        yield from check_source(source, self._stack, rules.rules)
        if source.exists:
            yield from self._inspect_events(rules.bucket)
        views = {}
        for name in rules.destinations:
            named = [rule for rule in rules.rules if rule.destination.bucket == name]
            accounts = [rule.destination.account for rule in named if rule.destination.account]
            views[name] = self._buckets.view_destination(name, accounts[0] if accounts else None)
            yield from check_destination(views[name], source, self._stack, named)
        seen = set()
        for rule in rules.rules:
            key = (rule.destination.kms_key, rule.destination.bucket)
            if rule.destination.kms_key and key not in seen:
                seen.add(key)
                view = self._buckets.view_key(rule.destination.kms_key)
                yield from check_key(rule, view, views[rule.destination.bucket], self._stack)

    def plan_notification(self, bucket: str, *, annotations: bool | None = None) -> bucket_notifications.Attachment:
        """Return what must change so that a bucket's events arrive. Raises CallFailed.

        annotations: whether S3 knows their events there; None for what it answered when ours were attached.
        """
        configuration = self._buckets.notifications(bucket)
        queue, stack = self._stack.change_queue_arn, self._stack.name
        if annotations is None:
            annotations = not bucket_notifications.is_without_annotations(configuration, queue)
        bridge = self._stack.event_bridge
        return bucket_notifications.attach(configuration, queue, stack, event_bridge=bridge, annotations=annotations)

    def missed(self, attachment: bucket_notifications.Attachment, bucket: str) -> Iterator[Finding]:
        """Yield which later changes are not seen, because somebody else's notification receives their events."""
        for taken in attachment.left_out:
            yield warning(
                f"bucket {bucket}",
                f"{taken}, and S3 sends an event type to one notification only: these changes are replicated only with "
                f"another change of the same version. Remove that notification, or{self._through_event_bridge}; "
                "EventBridge has no events of retention and annotations",
            )

    def conflicts(self, attachment: bucket_notifications.Attachment, bucket: str) -> Iterator[Finding]:
        """Yield what keeps the events from arriving, and what to do about it."""
        for conflict in attachment.conflicts:
            yield error(
                f"bucket {bucket}",
                f"{conflict}, and S3 sends an event type to one notification only. Either remove that notification, or"
                f"{self._through_event_bridge}: EventBridge leaves all notifications as they are",
            )

    def without_annotations(self, bucket: str) -> Iterator[Finding]:
        """Yield that S3 refused the events of annotations when the bucket's were attached. Raises CallFailed."""
        configuration = self._buckets.notifications(bucket)
        if bucket_notifications.is_without_annotations(configuration, self._stack.change_queue_arn):
            message = "S3 knows no events of annotations there, so annotations that are changed later are replicated"
            yield warning(f"bucket {bucket}", f"{message} only with another change of the same version")

    @property
    def _through_event_bridge(self) -> str:
        deploy = "" if self._stack.event_bridge else f", deploy stack {self._stack.name} with UseEventBridge=true"
        return f" enable EventBridge in the bucket's properties{deploy} and run the command again"

    def _inspect_events(self, bucket: str) -> Iterator[Finding]:
        subject = f"bucket {bucket}"
        try:
            attachment = self.plan_notification(bucket)
        except CallFailed as failed:
            yield warning(subject, f"cannot read its notification configuration: {failed.call.advice(bucket)}")
            return
        yield from self.conflicts(attachment, bucket)
        yield from self.missed(attachment, bucket)
        try:
            takes = self._buckets.queue_takes_from(bucket)
        except CallFailed as failed:
            advice = failed.call.advice(self._stack.change_queue_arn)
            yield warning(subject, f"cannot read whether the change queue accepts its events: {advice}")
            return
        if not takes:
            message = "the change queue's policy does not accept its events; deploy the stack with it in SourceBuckets"
            yield error(subject, message)
