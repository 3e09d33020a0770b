"""Stacks in the other direction, and whether each side drops the echoes of the other before they invoke a function.

A destination that notifies another stack's change queue is the source of that stack. Separate from the inspection of
buckets: this is about event source mappings, and `rules put` completes them on both sides. A mapping has no condition
to update it with, so it is read again after each update; what is lost all the same is found by `rules check`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from replicator.core.deciding.target import Target
from replicator.core.rules.matching import RuleSet

from s3replicator.bucket_notifications import QUEUES
from s3replicator.failed_calls import CallFailed
from s3replicator.findings import Finding, warning
from s3replicator.rules.both_ways import Neighbours
from s3replicator.rules.event_filter import FilterFull, admit, criteria, writers_of
from s3replicator.rules.result import RulesResult
from s3replicator.stack_facts import StackFacts

ATTEMPTS = 5
SECONDS_BETWEEN = 2.0
"""An update takes Lambda some seconds, in which it refuses another one."""
_BUSY = frozenset({"ResourceInUseException", "ResourceConflictException", "TooManyRequestsException"})


@dataclass(frozen=True, slots=True)
class FilterView:
    """The event source mapping of a change queue: its id, and its FilterCriteria as Lambda returns them."""

    mapping: str
    criteria: Mapping[str, Any] = field(default_factory=dict)


class Mappings(Protocol):
    """Event source mappings of change queues, and the stacks that these belong to. Every method raises CallFailed."""

    def stack_of(self, queue_arn: str) -> StackFacts | None:
        """Return the stack whose change queue this is; None if it belongs to no replicator."""
        ...

    def view(self, stack: StackFacts) -> FilterView:
        """Return the mapping of a stack's change queue."""
        ...

    def replace(self, stack: StackFacts, mapping: str, filters: Mapping[str, Any]) -> None:
        """Replace all filters of a mapping."""
        ...


class Writers(Protocol):
    """As whom the stack writes to destinations."""

    def advice(self, target: Target) -> str:
        """Return what a stack of another account must be given, so that it drops the echoes of this one."""
        ...


class Notifications(Protocol):
    """The one call of `BucketSettings` that finds peers."""

    def notifications(self, bucket: str, account: str | None = None) -> Mapping[str, Any]:
        """Return a bucket's notification configuration in S3's shape. Raises CallFailed."""
        ...


class Peers:
    """The peers of one stack. `wait` sleeps for so many seconds."""

    def __init__(
        self,
        stack: StackFacts,
        buckets: Notifications,
        mappings: Mappings,
        wait: Callable[[float], None],
        writers: Writers | None = None,
    ) -> None:
        """Take the ports. writers: as whom the stack writes to a destination, if that is not always as itself."""
        self._writers = writers
        self._stack = stack
        self._buckets = buckets
        self._mappings = mappings
        self._wait = wait

    def check(self, neighbours: Neighbours) -> Iterator[Finding]:
        """Yield which echoes of the neighbours' replicas and of those written there invoke a function."""
        for dropping, writing in self._directions(neighbours):
            yield from self._check(dropping, writing)

    def complete(self, result: RulesResult, neighbours: Neighbours) -> None:
        """Let this stack drop the echoes of its peers, and them those of this stack, as far as possible."""
        for dropping, writing in self._directions(neighbours):
            self._complete(dropping, writing, result)

    def _directions(self, neighbours: Neighbours) -> Iterator[tuple[StackFacts, StackFacts]]:
        """Yield (the stack that is to drop echoes, the stack that writes them)."""
        peers = {each.change_queue_arn: each for each in neighbours.stacks.values()}
        for peer in peers.values():
            if peer.change_queue_arn != self._stack.change_queue_arn:
                yield self._stack, peer
                yield peer, self._stack

    def find(self, rules: RuleSet) -> tuple[Neighbours, list[Finding]]:
        """Return the stacks that the destinations of enabled rules notify, and what cannot be seen."""
        stacks: dict[str, StackFacts] = {}
        findings, hidden, unseen = [], {}, set()
        accounts = {rule.destination.bucket: rule.destination.account for rule in rules.rules if rule.enabled}
        for bucket in sorted(accounts):
            try:
                configuration = self._buckets.notifications(bucket, accounts[bucket])
            except CallFailed as failed:
                if failed.call.code != "NoSuchBucket":
                    what = "cannot read whether it is the source of another stack"
                    findings.append(warning(f"bucket {bucket}", f"{what}: {failed.call.advice(bucket)}"))
                    unseen.add(bucket)
                continue
            for queue in _queues(configuration):
                if queue == self._stack.change_queue_arn:
                    stacks[bucket] = self._stack
                    continue
                if queue.split(":")[4] != self._stack.account:
                    hidden[queue] = bucket
                    unseen.add(bucket)
                    continue
                try:
                    if (peer := self._mappings.stack_of(queue)) is not None:
                        stacks[bucket] = peer
                except CallFailed as failed:
                    unseen.add(bucket)
                    findings.append(self._unseen(bucket, accounts, queue, failed.call.advice(queue)))
        if hidden and not self._names_strangers(list(stacks.values())):
            elsewhere = "it is in another account"
            findings += [self._unseen(bucket, accounts, queue, elsewhere) for queue, bucket in hidden.items()]
        return Neighbours(stacks, frozenset(unseen)), findings

    def _unseen(self, bucket: str, accounts: Mapping[str, str | None], queue: str, why: str) -> Finding:
        target = Target(bucket, accounts[bucket] or "")
        here = (
            self._writers.advice(target) if self._writers else f"{','.join(self._stack.writers)} as its PeerPrincipals"
        )
        what = f"notifies {queue}, and it cannot be seen whether that is the change queue of another stack: {why}"
        advice = "if it is, give this stack the other's output ReplicatorPrincipals as parameter PeerPrincipals"
        return warning(f"bucket {bucket}", f"{what}; {advice}, and that stack {here}")

    def _names_strangers(self, peers: list[StackFacts]) -> bool:
        """Return whether the stack's filter names writers of another account, or whoever is neither known here."""
        try:
            named = writers_of(self._mappings.view(self._stack).criteria) or ()
        except CallFailed:
            return False
        known = {writer for stack in (self._stack, *peers) for writer in stack.writers}
        return not known.issuperset(named)

    def _check(self, dropping: StackFacts, writing: StackFacts) -> Iterator[Finding]:
        try:
            named = writers_of(self._mappings.view(dropping).criteria)
        except CallFailed as failed:
            advice = failed.call.advice(f"the mapping of queue {dropping.change_queue_arn}")
            yield warning(_subject(dropping), f"cannot read whether it drops echoes of {_name(writing)}: {advice}")
            return
        if named is None:
            yield warning(_subject(dropping), _NOT_OURS)
        elif missing := set(writing.writers) - set(named):
            stale = {_function(each) for each in named if each not in dropping.writers} & set(map(_function, missing))
            how = "are known by the roles of an earlier deployment" if stale else "are not known to its filter"
            echoes = f"the functions of {_name(writing)} {how}, so each echo of theirs invokes a function"
            yield warning(_subject(dropping), f"{echoes}; run `rules put` again")

    def _complete(self, dropping: StackFacts, writing: StackFacts, result: RulesResult) -> None:
        try:
            changed = self._admit(dropping, writing.writers)
        except CallFailed as failed:
            advice = failed.call.advice(f"the mapping of queue {dropping.change_queue_arn}")
            what = f"cannot let it drop echoes of {_name(writing)}"
            result.findings.append(warning(_subject(dropping), f"{what}: {advice}"))
        except FilterFull:
            full = (
                f"its filter has no room for the functions of {_name(writing)}; each echo of theirs invokes a function"
            )
            result.findings.append(warning(_subject(dropping), full))
        except _NotOurs:
            result.findings.append(warning(_subject(dropping), _NOT_OURS))
        else:
            if changed:
                result.done.append(f"{_name(dropping)} drops echoes of {_name(writing)} from now on")

    def _admit(self, stack: StackFacts, writers: tuple[str, ...]) -> bool:
        """Add writers to a stack's filter; return whether it had to be changed. Reads it again after each update."""
        changed = False
        for attempt in range(ATTEMPTS):
            view = self._mappings.view(stack)
            named = writers_of(view.criteria)
            if named is None:
                raise _NotOurs
            wanted = admit(named, writers)
            if wanted == named:
                return changed
            try:
                self._mappings.replace(stack, view.mapping, criteria(wanted))
                changed = True
            except CallFailed as failed:
                if failed.call.code not in _BUSY or attempt == ATTEMPTS - 1:
                    raise
                self._wait(SECONDS_BETWEEN)
        return changed


class _NotOurs(Exception):
    """The filters of a mapping are not those that template.yaml and this command write."""


_NOT_OURS = (
    "its change queue has other filters than those of template.yaml, so they are left alone and echoes may invoke a "
    "function; deploy the current version of S3 Replicator"
)


def _queues(configuration: Mapping[str, Any]) -> list[str]:
    arns = dict.fromkeys(str(entry.get("QueueArn")) for entry in configuration.get(QUEUES, []))
    return [arn for arn in arns if arn.count(":") == 5]


def _subject(stack: StackFacts) -> str:
    return f"stack {_name(stack)}"


def _name(stack: StackFacts) -> str:
    return f"{stack.name} in {stack.region}"


def _function(writer: str) -> str:
    return writer.partition(":")[2]
