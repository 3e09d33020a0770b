"""Put, get, check and delete rules: read -> check rules, buckets and keys -> store -> attach events -> drop echoes.

The order makes a crash harmless. Rules are stored before events arrive, because an event without rules would be
skipped; and events stop before rules are removed. Every step can be repeated: running the command again completes it.
"""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from replicator.core.rules.document import RulesRefused, default_document, load, parse, with_ids
from replicator.core.rules.matching import RuleSet
from replicator.core.rules.rule import Problem

from s3replicator import bucket_notifications
from s3replicator.bucket_notifications import ANNOTATIONS
from s3replicator.failed_calls import CallFailed
from s3replicator.findings import Finding, Severity, error, from_problems, warning
from s3replicator.rules.both_ways import BothWays
from s3replicator.rules.coverage import CoverageKeeper
from s3replicator.rules.inspection import BucketSettings, Inspection
from s3replicator.rules.modifications import check_parameters
from s3replicator.rules.peers import Peers
from s3replicator.rules.result import RulesResult
from s3replicator.stack_facts import StackFacts

_THROUGH = {"queue": "an event notification", "EventBridge": "EventBridge"}


class Documents(Protocol):
    """The rule documents in the control bucket. Every method raises CallFailed."""

    def buckets(self) -> tuple[str, ...]:
        """Return the source buckets that have a document."""
        ...

    def read(self, bucket: str) -> bytes | None:
        """Return a document, or None."""
        ...

    def write(self, bucket: str, text: bytes) -> None:
        """Store a document."""
        ...

    def remove(self, bucket: str) -> None:
        """Remove a document."""
        ...


class StackRules:
    """The rules of one stack, and the commands on them."""

    def __init__(
        self,
        stack: StackFacts,
        documents: Documents,
        buckets: BucketSettings,
        shape_problems: Callable[[object], tuple[Problem, ...]],
        peers: Peers,
        coverage: CoverageKeeper | None = None,
        both_ways: BothWays | None = None,
        others: Callable[[RuleSet], Iterable[Finding]] = lambda _: (),
    ) -> None:
        """Take the ports, and what keeps the records of what destinations had and of peers: without, none is kept.

        others: finds what policies of other accounts lack.
        """
        self._stack = stack
        self._documents = documents
        self._buckets = buckets
        self._inspection = Inspection(stack, buckets)
        self._shape_problems = shape_problems
        self._peers = peers
        self._coverage = coverage
        self._both_ways = both_ways
        self._others = others
        # Many buckets may be put at once, and mappings and records of peers are read, changed and written back.
        self._completing = threading.Lock()

    def put(self, bucket: str, text: bytes, *, force: bool = False) -> RulesResult:
        """Check rules and buckets, store the rules, attach the notification. An error leaves everything as it was.

        With `force`, errors of buckets and keys are reported, but the rules are stored.
        """
        result = self._check_document(bucket, text)
        if result.rules is None or not (result.ok or force) or not self._is_stored(result, result.rules, text):
            return result
        try:
            self._attach(result)
        except CallFailed as failed:
            if not self._is_elsewhere(failed):
                what = "the rules are stored, but no events arrive yet; fix this and run the command again"
                result.findings.append(_failed(f"bucket {bucket}", what, failed, bucket))
                return result
            what = (
                f"account {self._stack.source_account} must send its events: `s3replicator grants {bucket}` prints the"
            )
            message = f"{what} notification, and --account-profile attaches it ({failed.call.action} failed here)"
            result.findings.append(warning(f"bucket {bucket}", message))
        self._complete(result, result.rules)
        if self._coverage and result.ok:
            self._note_coverage(self._coverage, result.rules, result)
        return result

    def prepare(self, bucket: str, text: bytes) -> RulesResult:
        """Check and store rules as `put` does, but leave the bucket's events as they are: nothing new arrives yet."""
        result = self._check_document(bucket, text)
        if result.rules is not None and result.ok:
            self._is_stored(result, result.rules, text)
        return result

    def check(self, bucket: str, text: bytes | None = None) -> RulesResult:
        """Check a rule document, the stored one by default, and all buckets and keys that it names. Changes nothing."""
        if text is not None:
            return self._check_document(bucket, text)
        result = RulesResult(bucket)
        try:
            stored = self.get(bucket)
        except CallFailed as failed:
            result.findings.append(_failed(f"rules of {bucket}", "cannot be read", failed, self._control_bucket))
            return result
        if stored is None:
            result.findings.append(error(f"rules of {bucket}", "none are stored; store some with `rules put`"))
            return result
        result = self._check_document(bucket, stored)
        if result.rules is not None:
            self._check_attached(result)
            self._check_neighbours(result, result.rules)
        return result

    def get(self, bucket: str) -> bytes | None:
        """Return the document in force: the stored one, else the stack's default, else None. Raises CallFailed."""
        stored = self._documents.read(bucket)
        if stored is None and self._has_default(bucket):
            return _stored_form(default_document(self._stack.default_destination))
        return stored

    def buckets(self) -> tuple[str, ...]:
        """Return the source buckets with rules, including the one with the default rule. Raises CallFailed."""
        defaults = [self._stack.default_source] if self._has_default(self._stack.default_source) else []
        return tuple(sorted({*self._documents.buckets(), *defaults}))

    def delete(self, bucket: str) -> RulesResult:
        """Detach the notification, then remove the rules. The control bucket keeps their previous versions."""
        result = RulesResult(bucket)
        try:
            if self._coverage:
                self._coverage.forget(bucket)
            if self._both_ways:
                self._both_ways.forget(bucket)
        except CallFailed as failed:
            what = "the records about its destinations cannot be removed; its rules and events are unchanged"
            result.findings.append(_failed(f"rules of {bucket}", what, failed, self._control_bucket))
            return result
        try:
            self._detach(result)
        except CallFailed as failed:
            if failed.call.code != "NoSuchBucket":
                what = "the event notification cannot be detached, nothing was changed"
                result.findings.append(_failed(f"bucket {bucket}", what, failed, bucket))
                return result
        try:
            self._remove(result)
        except CallFailed as failed:
            result.findings.append(_failed(f"rules of {bucket}", "cannot be removed", failed, self._control_bucket))
        return result

    @property
    def _control_bucket(self) -> str:
        return f"bucket {self._stack.control_bucket}"

    def _has_default(self, bucket: str) -> bool:
        return bool(self._stack.default_destination) and bucket == self._stack.default_source

    def _check_document(self, bucket: str, text: bytes) -> RulesResult:
        result = RulesResult(bucket)
        try:
            document = load(bucket, text)
            result.rules = parse(bucket, document, self._shape_problems(document))
        except RulesRefused as refused:
            result.findings += from_problems(Severity.ERROR, refused.problems)
            return result
        result.findings += from_problems(Severity.WARNING, result.rules.warnings)
        result.findings += check_parameters(self._stack, result.rules.rules)
        result.findings += self._inspection.inspect(result.rules)
        result.findings += self._others(result.rules)
        return result

    def _check_attached(self, result: RulesResult) -> None:
        try:
            attachment = self._inspection.plan_notification(result.bucket)
            result.findings += self._inspection.without_annotations(result.bucket)
        except CallFailed:
            return  # the inspection has reported it
        if attachment.wanted is None:
            return
        what = f"does not send {', '.join(attachment.missing)}" if attachment.missing else "sends events twice"
        message = f"its notification is out of date: the bucket {what} to the change queue; run `rules put` again"
        result.findings.append(error(f"bucket {result.bucket}", message))

    def _check_neighbours(self, result: RulesResult, rules: RuleSet) -> None:
        neighbours, findings = self._peers.find(rules)
        result.findings += [*findings, *self._peers.check(neighbours)]
        if self._both_ways:
            result.findings += self._both_ways.check(rules, neighbours)

    def _complete(self, result: RulesResult, rules: RuleSet) -> None:
        """Complete both directions: echoes that are dropped, and records of queues."""
        neighbours, findings = self._peers.find(rules)
        result.findings += findings
        with self._completing:
            self._peers.complete(result, neighbours)
            if self._both_ways:
                self._both_ways.complete(result, neighbours)

    def _is_stored(self, result: RulesResult, rules: RuleSet, text: bytes) -> bool:
        """Store the rules, and return whether they are."""
        try:
            if self._coverage:
                self._coverage.strike(self._in_force(result.bucket), rules)
            self._store(result, _stored_form(load(result.bucket, text)))
        except CallFailed as failed:
            what = f"rules of {result.bucket}"
            result.findings.append(_failed(what, "cannot be stored", failed, self._control_bucket))
            return False
        return True

    def _is_elsewhere(self, failed: CallFailed) -> bool:
        """Return whether a call about a source failed because the bucket is another account's."""
        other = self._stack.source_account != self._stack.account
        return other and failed.call.code in {"AccessDenied", "403", "MethodNotAllowed"}

    def _in_force(self, bucket: str) -> RuleSet | None:
        """Return the rules in force as values; None if there are none, or they cannot be parsed."""
        stored = self.get(bucket)
        try:
            return None if stored is None else parse(bucket, load(bucket, stored))
        except RulesRefused:
            return None

    def _note_coverage(self, coverage: CoverageKeeper, rules: RuleSet, result: RulesResult) -> None:
        subject = f"bucket {result.bucket}"
        try:
            lacking = coverage.note(rules)
        except CallFailed as failed:
            what = "whether its destinations lack older versions is not recorded, so `failover check` answers UNKNOWN"
            result.findings.append(warning(subject, f"{what}: {failed.call.advice(result.bucket)}"))
            return
        if lacking:
            what = f"had versions before these rules, which {', '.join(lacking)} may lack: events do not tell of them"
            result.findings.append(warning(subject, f"{what}. Copy them with s3replicator resync"))

    def _store(self, result: RulesResult, document: bytes) -> None:
        if self._documents.read(result.bucket) == document:
            result.done.append("the rules are unchanged")
            return
        self._documents.write(result.bucket, document)
        result.done.append("stored the rules")

    def _attach(self, result: RulesResult) -> None:
        # Read again right before the write: S3 has no condition for it, so the gap must be as short as possible.
        attachment = self._inspection.plan_notification(result.bucket, annotations=True)
        if attachment.conflicts:
            conflicts = self._inspection.conflicts(attachment, result.bucket)
            result.findings += [each for each in conflicts if each not in result.findings]
            return
        if attachment.wanted is None:
            result.done.append(f"its events already arrive, through {_THROUGH[attachment.through]}")
            return
        try:
            self._replace(result, attachment.wanted)
        except CallFailed as failed:
            if failed.call.code != "InvalidArgument" or ANNOTATIONS not in attachment.missing:
                raise
            self._attach_without_annotations(result)
            return
        result.done.append(f"attached its events, through {_THROUGH[attachment.through]}")

    def _attach_without_annotations(self, result: RulesResult) -> None:
        """Attach the other events: S3 refuses the whole configuration where it does not know one of its events."""
        attachment = self._inspection.plan_notification(result.bucket, annotations=False)
        through = _THROUGH[attachment.through]
        if attachment.wanted is None:
            result.done.append(f"its other events already arrive, through {through}")
        else:
            self._replace(result, attachment.wanted)
            result.done.append(f"attached its other events, through {through}")
        result.findings += [
            each for each in self._inspection.without_annotations(result.bucket) if each not in result.findings
        ]

    def _replace(self, result: RulesResult, wanted: Mapping[str, Any]) -> None:
        self._buckets.set_notifications(result.bucket, wanted)
        for gone in bucket_notifications.lost(wanted, self._buckets.notifications(result.bucket)):
            message = (
                f"{gone} was lost: somebody else changed the notification configuration at the same time; add it again"
            )
            result.findings.append(error(f"bucket {result.bucket}", message))

    def _detach(self, result: RulesResult) -> None:
        configuration = self._buckets.notifications(result.bucket)
        rest = bucket_notifications.detach(configuration, self._stack.change_queue_arn)
        if rest is not None:
            self._replace(result, rest)
            result.done.append("detached its events")
        if bucket_notifications.still_delivered(configuration, self._stack.change_queue_arn):
            message = "still sends events to the change queue, by a notification that this command did not attach"
            result.findings.append(warning(f"bucket {result.bucket}", message))

    def _remove(self, result: RulesResult) -> None:
        if self._documents.read(result.bucket) is None:
            result.done.append("there were no rules")
        else:
            self._documents.remove(result.bucket)
            result.done.append("removed the rules")
        if self._has_default(result.bucket):
            destination = self._stack.default_destination
            message = f"the stack's default rule applies again: the whole bucket is replicated to {destination}"
            result.findings.append(warning(f"bucket {result.bucket}", message))


def _stored_form(document: object) -> bytes:
    return (json.dumps(with_ids(document), indent=2, ensure_ascii=False) + "\n").encode()


def _failed(subject: str, what: str, failed: CallFailed, target: str) -> Finding:
    return error(subject, f"{what}: {failed.call.advice(target)}")
