"""Looking at everything that a rule set touches: source -> events -> destinations -> keys, every finding in that order.

Used by `rules put` and `rules check`; it only reads. What the findings are is decided in `core.bucket_checks`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from replicator.core.rules.matching import RuleSet

from s3replicator.findings import CallFailed, Finding, error, warning
from s3replicator.rules import bucket_notifications
from s3replicator.rules.bucket_checks import BucketView, KeyView, check_destination, check_key, check_source
from s3replicator.stack_facts import StackFacts


class BucketAdministration(Protocol):
    """Buckets, keys and the queue as they are. Views carry their own obstacles; the other methods raise CallFailed."""

    def view_source(self, bucket: str) -> BucketView:
        """Look at a source bucket."""
        ...

    def view_destination(self, bucket: str, account: str | None) -> BucketView:
        """Look at a destination bucket; with an account, also whether that is its owner."""
        ...

    def view_key(self, arn: str) -> KeyView:
        """Look at a KMS key by its ARN or its alias's."""
        ...

    def queue_takes_from(self, bucket: str) -> bool:
        """Return whether the change queue's policy lets S3 send the events of this bucket."""
        ...

    def notifications(self, bucket: str) -> Mapping[str, Any]:
        """Return a bucket's notification configuration in S3's shape."""
        ...

    def set_notifications(self, bucket: str, configuration: Mapping[str, Any]) -> None:
        """Replace it."""
        ...


class Inspection:
    """Looks at what rules touch, for one stack."""

    def __init__(self, stack: StackFacts, buckets: BucketAdministration) -> None:
        self._stack = stack
        self._buckets = buckets

    def look(self, rules: RuleSet) -> Iterator[Finding]:
        """Yield what is wrong with the buckets and keys of these rules."""
        source = self._buckets.view_source(rules.bucket)
        yield from check_source(source, self._stack, rules.rules)
        if source.exists:
            yield from self._look_at_events(rules.bucket)
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

    def plan_events(self, bucket: str) -> bucket_notifications.Attachment:
        """Return what is to be done so that a bucket's events come; raises CallFailed."""
        configuration = self._buckets.notifications(bucket)
        queue, stack = self._stack.change_queue_arn, self._stack.name
        return bucket_notifications.attach(configuration, queue, stack, event_bridge=self._stack.event_bridge)

    def ways_out(self, attachment: bucket_notifications.Attachment, bucket: str) -> Iterator[Finding]:
        """Yield what keeps the events from coming, and what can be done."""
        switch = "" if self._stack.event_bridge else f", deploy stack {self._stack.name} with UseEventBridge=true"
        for conflict in attachment.conflicts:
            yield error(
                f"bucket {bucket}",
                f"{conflict}, and S3 lets an event type go to one notification only. Either remove it, or switch on "
                f"EventBridge in the bucket's properties{switch} and run the command again: it disturbs no other",
            )

    def _look_at_events(self, bucket: str) -> Iterator[Finding]:
        subject = f"bucket {bucket}"
        try:
            attachment = self.plan_events(bucket)
        except CallFailed as failed:
            yield warning(subject, f"its notifications could not be looked at: {failed.obstacle.advice(bucket)}")
            return
        yield from self.ways_out(attachment, bucket)
        if attachment.through != "queue":
            return
        try:
            takes = self._buckets.queue_takes_from(bucket)
        except CallFailed as failed:
            advice = failed.obstacle.advice(self._stack.change_queue_arn)
            yield warning(subject, f"whether the change queue takes its events could not be looked at: {advice}")
            return
        if not takes:
            message = "the change queue's policy does not let its events in; deploy the stack with it in SourceBuckets"
            yield error(subject, message)
