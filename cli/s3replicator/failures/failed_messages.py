"""Dead letters as an operator sees them: what failed, why and since when; which of them a filter selects; groups.

Pure, so that `failures list`, `failures redrive` and its dry run cannot disagree about what is meant.
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

    `reason` is that of our own attributes; SQS gives up messages without a word, and then it is FunctionDied.
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
        """The changes that it tells of; none if it cannot be read."""
        return tuple(record.change for record in parse(self.body) if isinstance(record, Record))

    @property
    def about(self) -> tuple[object, ...]:
        """Name what failed. Letters that say the same are one failure: duplicates of an event, or of a redrive."""
        changes = self.changes
        if not changes:
            return (self.id,)
        return self.destination, *((each.kind, each.bucket, each.key, each.item_id) for each in changes)

    @property
    def objects(self) -> tuple[str, ...]:
        """What it is about, as people write it."""
        return tuple(f"s3://{change.bucket}/{change.key}" for change in self.changes)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters are meant; an empty field selects all."""

    reason: str = ""
    rule: str = ""
    key_prefix: str = ""

    def selects(self, letter: FailedMessage) -> bool:
        """Return whether a letter is meant. What cannot be read has no key, and no prefix selects it."""
        return (
            self.reason in {"", letter.reason}
            and self.rule in {"", letter.rule_id}
            and (not self.key_prefix or any(change.key.startswith(self.key_prefix) for change in letter.changes))
        )


EXAMPLES = 3


@dataclass(slots=True)
class Group:
    """All failures of one reason."""

    reason: str
    count: int = 0
    rules: set[str] = field(default_factory=set)
    destinations: set[str] = field(default_factory=set)
    examples: list[FailedMessage] = field(default_factory=list)

    @property
    def advice(self) -> str:
        """What to do about it."""
        return advice(self.reason)

    def add(self, letter: FailedMessage) -> None:
        """Count one more; the first few are kept as examples."""
        self.count += 1
        self.rules.update({letter.rule_id} - {""})
        self.destinations.update({letter.destination} - {""})
        if len(self.examples) < EXAMPLES:
            self.examples.append(letter)


def group(letters: Iterable[FailedMessage]) -> list[Group]:
    """Group letters by reason, the most frequent first."""
    groups: dict[str, Group] = {}
    for letter in letters:
        groups.setdefault(letter.reason, Group(letter.reason)).add(letter)
    return sorted(groups.values(), key=lambda each: (-each.count, each.reason))
