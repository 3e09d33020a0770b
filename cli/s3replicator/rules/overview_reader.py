"""Reads what the overview of a stack's rules counts: documents, notifications and the Regions of destinations.

Separate from the command, which may do so for several stacks. Each destination is asked for once, however many rules
name it.
"""

from functools import partial
from typing import Any

from replicator.core.rules.document import RulesRefused, default_document, load, parse
from replicator.core.rules.matching import RuleSet

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed
from s3replicator.rule_documents import RuleDocuments
from s3replicator.rules.bucket_settings import AwsBucketSettings
from s3replicator.rules.inspection import Inspection
from s3replicator.rules.many import Show, Work
from s3replicator.rules.overview import BucketRules, Place, kinds_of
from s3replicator.stack import Stack

_MISSING = frozenset({"404", "NoSuchBucket"})


class OverviewReader:
    """Reads the overview of one stack. A client in the stack's Region HEADs buckets of any Region."""

    def __init__(self, opened: Stack) -> None:
        self._stack = opened.facts
        self._s3 = opened.client("s3")
        self._documents = RuleDocuments(self._s3, self._stack.control_bucket)
        self._inspection = Inspection(
            self._stack, AwsBucketSettings(opened.client, self._stack, toward=opened.client_toward)
        )

    def read(self, show: Show) -> tuple[list[BucketRules], bool]:
        """Return the overview of all buckets with rules, and whether it is of all. Raises CallFailed."""
        work = Work({bucket: partial(self._read, bucket) for bucket in self._buckets()}, show)
        work.run()
        found, complete = list(work.results.values()), not work.interrupted
        names = sorted({name for each in found if each.rules for name in each.rules.destinations})
        places = Work({name: partial(self._place, name) for name in names}, show)
        if complete:
            places.run()
        return [self._with_kinds(each, places.results) for each in found], complete and not places.interrupted

    def _read(self, bucket: str) -> BucketRules:
        try:
            rules = self._parsed(bucket)
        except CallFailed as failed:
            return BucketRules(bucket, problem=failed.call.advice(f"bucket {self._stack.control_bucket}"))
        except RulesRefused as refused:
            return BucketRules(bucket, problem="; ".join(map(str, refused.problems)))
        try:
            attachment = self._inspection.plan_notification(bucket)
        except CallFailed as failed:
            return BucketRules(bucket, rules, problem=failed.call.advice(f"bucket {bucket}"))
        return BucketRules(bucket, rules, attached=not attachment.conflicts and attachment.wanted is None)

    def _buckets(self) -> list[str]:
        default = {self._stack.default_source} if self._stack.default_destination else set()
        return sorted({*self._documents.buckets(), *default} - {""})

    def _parsed(self, bucket: str) -> RuleSet:
        stored = self._documents.read(bucket)
        if stored is None and bucket == self._stack.default_source and self._stack.default_destination:
            return parse(bucket, default_document(self._stack.default_destination))
        return parse(bucket, load(bucket, stored)) if stored is not None else RuleSet(bucket)

    def _place(self, bucket: str) -> Place:
        try:
            with calling("s3:ListBucket"):
                return Place(exists=True, region=self._s3.head_bucket(Bucket=bucket).get("BucketRegion"))
        except CallFailed as failed:
            return Place(exists=False if failed.call.code in _MISSING else None, region=_region_in(failed))

    def _with_kinds(self, found: BucketRules, places: dict[str, Place]) -> BucketRules:
        rules = found.rules.rules if found.rules else ()
        kinds = kinds_of(rules, self._stack, places)
        return BucketRules(found.bucket, found.rules, found.attached, found.problem, kinds)


def _region_in(failed: CallFailed) -> str | None:
    """Return the Region that S3 names in a refusal, as it does for a bucket of another account."""
    response: dict[str, Any] = getattr(failed.__cause__, "response", {})
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region: str | None = headers.get("x-amz-bucket-region")
    return region
