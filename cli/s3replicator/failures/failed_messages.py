"""Messages of the dead-letter queue as an operator sees them: what failed, why and since when; filters; groups.

Pure, so that `failures list`, `failures redrive` and its dry run cannot disagree about which messages are selected.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from replicator.core.outcomes.outcome import Reason
from replicator.core.versions.change import Change
from replicator.core.versions.events import Record, parse

from s3replicator.advice import advice


@dataclass(frozen=True, slots=True)
class FailedMessage:
    """One message of the dead-letter queue. `sent`: epoch milliseconds by SQS's clock.

    `reason` is that of our own message attributes. A message that SQS moved there itself has none: its reason is
    FunctionDied.
    """

    id: str
    receipt: str
    body: str
    sent: int
    reason: str = Reason.FUNCTION_DIED
    detail: str = ""
    rule_id: str = ""
    destination: str = ""
    origin: str = ""
    first_seen: str = ""
    attempts: int = 0

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes in its events; none if it cannot be parsed."""
        return tuple(record.change for record in parse(self.body) if isinstance(record, Record))

    @property
    def failure(self) -> tuple[object, ...]:
        """Identify what failed. Messages about the same failure are duplicates, of an event or of a redrive."""
        changes = self.changes
        if not changes:
            return (self.id,)
        return self.destination, *((each.kind, each.bucket, each.key, each.item_id) for each in changes)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The addresses of the objects, with what was changed if that was after the write."""
        changes = self.changes
        return tuple(f"s3://{each.bucket}/{each.key}{f' ({each.kind})' if each.amends else ''}" for each in changes)

    @property
    def objects(self) -> tuple[str, ...]:
        """The s3:// addresses of the objects it is about."""
        return tuple(f"s3://{change.bucket}/{change.key}" for change in self.changes)


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter of messages; an empty field selects all."""

    reason: str = ""
    rule: str = ""
    key_prefix: str = ""

    def selects(self, message: FailedMessage) -> bool:
        """Return whether a message is selected. A message that cannot be parsed has no key, so no prefix selects it."""
        return (
            self.reason in {"", message.reason}
            and self.rule in {"", message.rule_id}
            and (not self.key_prefix or any(change.key.startswith(self.key_prefix) for change in message.changes))
        )


EXAMPLES = 3


@dataclass(slots=True)
class Group:
    """All failures with one reason."""

    reason: str
    count: int = 0
    rules: set[str] = field(default_factory=set)
    destinations: set[str] = field(default_factory=set)
    examples: list[FailedMessage] = field(default_factory=list)

    @property
    def advice(self) -> str:
        """What to do about it."""
        return advice(self.reason)

    def add(self, message: FailedMessage) -> None:
        """Count one more failure; the first few are kept as examples."""
        self.count += 1
        self.rules.update({message.rule_id} - {""})
        self.destinations.update({message.destination} - {""})
        if len(self.examples) < EXAMPLES:
            self.examples.append(message)


def group(messages: Iterable[FailedMessage]) -> list[Group]:
    """Group messages by reason, the most frequent reason first."""
    groups: dict[str, Group] = {}
    for message in messages:
        groups.setdefault(message.reason, Group(message.reason)).add(message)
    return sorted(groups.values(), key=lambda each: (-each.count, each.reason))
