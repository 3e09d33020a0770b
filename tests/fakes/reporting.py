"""The ports Measures, Log and Notices in memory, and tasks one after the other for SideBySide."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from replicator.core.deciding.result import Result
from replicator.core.outcomes.notices import Notice
from replicator.core.outcomes.outcome import Outcome
from replicator.core.versions.change import Change

from tests.fakes.points import Call, Points, Straight

T = TypeVar("T")


@dataclass(slots=True)
class MemoryMeasures:
    """What was recorded, and how often it was published."""

    recorded: list[Result] = field(default_factory=list)
    flushes: int = 0

    def record(self, result: Result) -> None:
        self.recorded.append(result)

    def flush(self) -> None:
        self.flushes += 1


@dataclass(slots=True)
class MemoryLog:
    """The lines that would be in the log."""

    outcomes: list[tuple[Change, Outcome]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def outcome(self, change: Change, outcome: Outcome) -> None:
        self.outcomes.append((change, outcome))

    def unexpected(self, change: Change, error: Exception) -> None:
        self.errors.append(error)

    def incomplete(self, what: str) -> None:
        self.remarks.append(what)


@dataclass(slots=True)
class MemoryNotices:
    """The events that went out."""

    points: Points = field(default_factory=Straight)
    published: list[Notice] = field(default_factory=list)

    def publish(self, notices: Sequence[Notice]) -> None:
        first = notices[0]
        detail = ", ".join(notice.kind for notice in notices)
        call = Call("PUBLISH", "events", first.bucket, first.key, detail)
        self.points.call(call, lambda: self.published.extend(notices))


def in_turn(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run tasks one after the other; the first error is raised once all have ended."""
    results: list[T] = []
    errors: list[Exception] = []
    for task in tasks:
        try:
            results.append(task())
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return results
