"""An operator puts, gets, deletes or checks rules: read -> look at buckets and keys -> store -> attach the events.

The order is what makes a crash harmless: rules are stored before events come (an event without rules would be skipped),
and events stop before rules go. Every step can be repeated, so running the same command again repairs what was left.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from replicator.core.rules.document import RulesRefused, default_document, load, parse, with_ids
from replicator.core.rules.matching import RuleSet
from replicator.core.rules.rule import Problem

from s3replicator.findings import CallFailed, Finding, Severity, error, from_problems, warning
from s3replicator.rules import bucket_notifications
from s3replicator.rules.inspection import BucketAdministration, Inspection
from s3replicator.stack_facts import StackFacts


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


@dataclass(slots=True)
class RulesReport:
    """What a command found and did, for one source bucket. `done` are sentences without subject."""

    bucket: str
    rules: RuleSet | None = None
    findings: list[Finding] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Return whether nothing stands in the way."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


class RulesAdmin:
    """The commands on rules, for one stack."""

    def __init__(
        self,
        stack: StackFacts,
        documents: Documents,
        buckets: BucketAdministration,
        shape_problems: Callable[[object], tuple[Problem, ...]],
    ) -> None:
        self._stack = stack
        self._documents = documents
        self._buckets = buckets
        self._inspection = Inspection(stack, buckets)
        self._shape_problems = shape_problems

    def put(self, bucket: str, text: bytes, *, force: bool = False) -> RulesReport:
        """Check rules and buckets, store the rules, attach the events; errors keep everything as it was.

        With `force`, what is wrong with buckets and keys is reported but does not keep the rules from being stored.
        """
        report = self._examine(bucket, text)
        if report.rules is None or not (report.ok or force):
            return report
        try:
            self._store(report, _stored_form(load(bucket, text)))
        except CallFailed as failed:
            report.findings.append(_failed(f"rules of {bucket}", "could not be stored", failed, self._control_bucket))
            return report
        try:
            self._attach(report)
        except CallFailed as failed:
            what = "the rules are stored, but its events do not come yet; repair this and run the command again"
            report.findings.append(_failed(f"bucket {bucket}", what, failed, bucket))
        return report

    def check(self, bucket: str, text: bytes | None = None) -> RulesReport:
        """Look for everything that is wrong with a document, by default the stored one, and change nothing."""
        if text is not None:
            return self._examine(bucket, text)
        report = RulesReport(bucket)
        try:
            stored = self.get(bucket)
        except CallFailed as failed:
            report.findings.append(_failed(f"rules of {bucket}", "could not be read", failed, self._control_bucket))
            return report
        if stored is None:
            report.findings.append(error(f"rules of {bucket}", "are not stored; put some with `rules put`"))
            return report
        report = self._examine(bucket, stored)
        if report.rules is not None:
            self._check_attached(report)
        return report

    def get(self, bucket: str) -> bytes | None:
        """Return the document in force: the stored one, else the stack's default, else None; raises CallFailed."""
        stored = self._documents.read(bucket)
        if stored is None and self._has_default(bucket):
            return _stored_form(default_document(self._stack.default_destination))
        return stored

    def buckets(self) -> tuple[str, ...]:
        """Return the source buckets with rules, the default one included; raises CallFailed."""
        defaults = [self._stack.default_source] if self._has_default(self._stack.default_source) else []
        return tuple(sorted({*self._documents.buckets(), *defaults}))

    def delete(self, bucket: str) -> RulesReport:
        """Detach what was attached, then remove the rules; the control bucket keeps their versions."""
        report = RulesReport(bucket)
        try:
            self._detach(report)
        except CallFailed as failed:
            if failed.obstacle.code != "NoSuchBucket":
                what = "its events could not be detached, nothing was changed"
                report.findings.append(_failed(f"bucket {bucket}", what, failed, bucket))
                return report
        try:
            self._remove(report)
        except CallFailed as failed:
            report.findings.append(_failed(f"rules of {bucket}", "could not be removed", failed, self._control_bucket))
        return report

    @property
    def _control_bucket(self) -> str:
        return f"bucket {self._stack.control_bucket}"

    def _has_default(self, bucket: str) -> bool:
        return bool(self._stack.default_destination) and bucket == self._stack.default_source

    def _examine(self, bucket: str, text: bytes) -> RulesReport:
        report = RulesReport(bucket)
        try:
            document = load(bucket, text)
            report.rules = parse(bucket, document, self._shape_problems(document))
        except RulesRefused as refused:
            report.findings += from_problems(Severity.ERROR, refused.problems)
            return report
        report.findings += from_problems(Severity.WARNING, report.rules.warnings)
        report.findings += self._inspection.look(report.rules)
        return report

    def _check_attached(self, report: RulesReport) -> None:
        try:
            attachment = self._inspection.plan_events(report.bucket)
        except CallFailed:
            return  # told already, by the look at the way of its events
        if attachment.wanted is not None:
            message = "does not send all its events to the change queue; put the rules again to attach it"
            report.findings.append(error(f"bucket {report.bucket}", message))

    def _store(self, report: RulesReport, document: bytes) -> None:
        if self._documents.read(report.bucket) == document:
            report.done.append("the rules were stored already")
            return
        self._documents.write(report.bucket, document)
        report.done.append("stored the rules")

    def _attach(self, report: RulesReport) -> None:
        # Read again right before the write: S3 has no condition for it, so the gap must be as short as it can be.
        attachment = self._inspection.plan_events(report.bucket)
        if attachment.conflicts:
            report.findings += [each for each in self._inspection.ways_out(attachment, report.bucket)
                                if each not in report.findings]  # fmt: skip
            return
        if attachment.wanted is None:
            report.done.append(f"its events come already, through {attachment.through}")
            return
        self._replace(report, attachment.wanted)
        report.done.append(f"attached its events, through {attachment.through}")

    def _replace(self, report: RulesReport, wanted: Mapping[str, Any]) -> None:
        self._buckets.set_notifications(report.bucket, wanted)
        for gone in bucket_notifications.lost(wanted, self._buckets.notifications(report.bucket)):
            message = f"{gone} is gone: somebody else changed the notifications at the same time; put it there again"
            report.findings.append(error(f"bucket {report.bucket}", message))

    def _detach(self, report: RulesReport) -> None:
        configuration = self._buckets.notifications(report.bucket)
        rest = bucket_notifications.detach(configuration, self._stack.change_queue_arn)
        if rest is not None:
            self._replace(report, rest)
            report.done.append("detached its events")
        if bucket_notifications.still_delivered(configuration, self._stack.change_queue_arn):
            message = "still sends events to the change queue, by a notification that this command did not attach"
            report.findings.append(warning(f"bucket {report.bucket}", message))

    def _remove(self, report: RulesReport) -> None:
        if self._documents.read(report.bucket) is None:
            report.done.append("there were no rules")
        else:
            self._documents.remove(report.bucket)
            report.done.append("removed the rules")
        if self._has_default(report.bucket):
            destination = self._stack.default_destination
            message = f"the stack's default rule applies again, the whole bucket goes to {destination}"
            report.findings.append(warning(f"bucket {report.bucket}", message))


def _stored_form(document: object) -> bytes:
    return (json.dumps(with_ids(document), indent=2, ensure_ascii=False) + "\n").encode()


def _failed(subject: str, what: str, failed: CallFailed, target: str) -> Finding:
    return error(subject, f"{what}: {failed.obstacle.advice(target)}")
