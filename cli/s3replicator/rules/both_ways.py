"""Both directions of a bucket: whether they agree on changes at replicas, and the records by which these are forwarded.

A function that hears of a change at a replica sends it to the queue of the stack that replicates the version. The
record of the bucket, `peers/<bucket>.json` in the control bucket, names that queue. `rules put` keeps it on both sides,
where it may. It writes without a condition; `rules check` finds what is missing or wrong.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from replicator.core.rules.document import RulesRefused, default_document, load, parse
from replicator.core.rules.matching import RuleSet
from replicator.core.rules.rule import Rule

from s3replicator.failed_calls import CallFailed
from s3replicator.findings import Finding, Severity, warning
from s3replicator.rules.modifications import Direction, check_direction
from s3replicator.rules.result import RulesResult
from s3replicator.stack_facts import StackFacts


class PeerDocuments(Protocol):
    """What control buckets hold about the source buckets of their stacks. Every method raises CallFailed."""

    def rules(self, stack: StackFacts, bucket: str) -> bytes | None:
        """Return a rule document, or None."""
        ...

    def record(self, stack: StackFacts, bucket: str) -> bytes | None:
        """Return the record of queues, or None."""
        ...

    def keep(self, stack: StackFacts, bucket: str, text: bytes) -> None:
        """Store a record."""
        ...

    def forget(self, stack: StackFacts, bucket: str) -> None:
        """Remove a record."""
        ...


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Which stack each destination notifies, by bucket, this stack included. `unseen`: destinations that hide it."""

    stacks: Mapping[str, StackFacts] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BothWays:
    """The other directions of one stack's buckets."""

    stack: StackFacts
    documents: PeerDocuments

    def check(self, rules: RuleSet, neighbours: Neighbours) -> Iterator[Finding]:
        """Yield where the directions do not agree, and which records are missing or wrong."""
        for destination in _destinations(rules):
            back, findings = self._back(rules.bucket, destination, neighbours)
            yield from findings
            yield from check_direction(rules.bucket, rules.rules, back)
        yield from self._check_record(self.stack, rules.bucket, self._wanted(rules, neighbours), rules)
        for there, destination in self._others(rules, neighbours):
            yield from self._check_record(there, destination, {rules.bucket: self.stack.change_queue_arn}, rules)

    def complete(self, result: RulesResult, neighbours: Neighbours) -> None:
        """Bring the records of both sides up to date, as far as possible, and add what does not agree."""
        if result.rules is None:
            return
        for destination in _destinations(result.rules):
            back, findings = self._back(result.bucket, destination, neighbours)
            result.findings += [*findings, *check_direction(result.bucket, result.rules.rules, back)]
        wanted = self._wanted(result.rules, neighbours)
        self._record(self.stack, result.bucket, wanted, result, neighbours.unseen)
        for there, destination in self._others(result.rules, neighbours):
            self._record(there, destination, {result.bucket: self.stack.change_queue_arn}, result)

    def forget(self, bucket: str) -> None:
        """Remove the record of a bucket that has no rules any more. Raises CallFailed."""
        if self.documents.record(self.stack, bucket) is not None:
            self.documents.forget(self.stack, bucket)

    def _wanted(self, rules: RuleSet, neighbours: Neighbours) -> dict[str, str]:
        named = _destinations(rules)
        return {name: each.change_queue_arn for name, each in neighbours.stacks.items() if name in named}

    def _others(self, rules: RuleSet, neighbours: Neighbours) -> Iterator[tuple[StackFacts, str]]:
        """Yield the stacks whose rules for a destination lead back to the bucket, with that destination."""
        for destination in _destinations(rules):
            back, _ = self._back(rules.bucket, destination, neighbours)
            if back.stack is not None and back.rules:
                yield back.stack, destination

    def _back(self, bucket: str, destination: str, neighbours: Neighbours) -> tuple[Direction, list[Finding]]:
        stack = neighbours.stacks.get(destination)
        if stack is None:
            return Direction(destination, seen=destination not in neighbours.unseen), []
        try:
            rules = self._rules(stack, destination)
        except CallFailed as failed:
            advice = failed.call.advice(f"bucket {stack.control_bucket}")
            found = warning(
                f"stack {stack.name} in {stack.region}", f"cannot read its rules of {destination}: {advice}"
            )
            return Direction(destination, stack, None), [found]
        except RulesRefused:
            return Direction(destination, stack, None), []
        return Direction(destination, stack, tuple(each for each in rules if _leads_to(each, bucket))), []

    def _rules(self, stack: StackFacts, bucket: str) -> tuple[Rule, ...]:
        text = self.documents.rules(stack, bucket)
        if text is not None:
            return parse(bucket, load(bucket, text)).rules
        if stack.default_destination and stack.default_source == bucket:
            return parse(bucket, default_document(stack.default_destination)).rules
        return ()

    def _check_record(
        self, stack: StackFacts, bucket: str, wanted: Mapping[str, str], rules: RuleSet
    ) -> Iterator[Finding]:
        try:
            known = self._queues(stack, bucket)
        except CallFailed as failed:
            yield _unreadable(stack, bucket, failed)
            return
        for name, queue in wanted.items():
            if known.get(name) == queue:
                continue
            what = "names another queue" if name in known else "does not name the queue"
            modifies = any(rule.enabled and rule.replica_modifications for rule in rules.rules)
            yield Finding(
                Severity.ERROR if modifies else Severity.WARNING,
                f"bucket {bucket}",
                f"the record of stack {stack.name} {what} to which changes at replicas of {name} are forwarded; run "
                "`rules put` again",
            )

    def _record(
        self,
        stack: StackFacts,
        bucket: str,
        wanted: Mapping[str, str],
        result: RulesResult,
        kept: frozenset[str] | None = None,
    ) -> None:
        """Write queues into a record. kept: the buckets whose queues stay in it; None for all."""
        try:
            known = self._queues(stack, bucket)
            queues = {name: queue for name, queue in known.items() if kept is None or name in kept} | dict(wanted)
            if queues == known:
                return
            text = json.dumps({"queues": dict(sorted(queues.items()))}, indent=2) + "\n"
            self.documents.keep(stack, bucket, text.encode())
        except CallFailed as failed:
            result.findings.append(_unreadable(stack, bucket, failed))
        else:
            result.done.append(f"{stack.name} in {stack.region} knows where to forward changes at replicas in {bucket}")

    def _queues(self, stack: StackFacts, bucket: str) -> dict[str, str]:
        """Return the queues of a record; none if there is no record, or none that can be parsed: it is replaced."""
        text = self.documents.record(stack, bucket)
        try:
            return {} if text is None else dict(json.loads(text)["queues"])
        except (ValueError, KeyError, TypeError):
            return {}


def _destinations(rules: RuleSet) -> list[str]:
    return sorted({rule.destination.bucket for rule in rules.rules if rule.enabled})


def _leads_to(rule: Rule, bucket: str) -> bool:
    return rule.enabled and rule.destination.bucket == bucket


def _unreadable(stack: StackFacts, bucket: str, failed: CallFailed) -> Finding:
    what = f"the record of where changes at replicas in {bucket} are forwarded to cannot be kept"
    return warning(
        f"stack {stack.name} in {stack.region}", f"{what}: {failed.call.advice(f'bucket {stack.control_bucket}')}"
    )
