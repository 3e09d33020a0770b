"""The point that every call of a fake goes through, so that whoever drives it can look, wait, fail it or die there.

`Straight` just lets calls happen and counts them: enough for most tests. `Scripted` fails chosen calls. The simulation
brings its own, at which handlers take turns.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to AWS: what a log of requests would show of it. `side`: source, destination, journal or queue."""

    operation: str
    side: str
    bucket: str
    key: str
    detail: str = ""

    @property
    def writes(self) -> bool:
        """Return whether it changes something when it gets through."""
        return self.operation not in READS

    def __str__(self) -> str:
        return " ".join(part for part in (self.operation, f"{self.bucket}/{self.key}", self.detail) if part)


READS = frozenset(
    {"HEAD", "LIST", "GET TAGS", "GET ACL", "LIST ANNOTATIONS", "GET ANNOTATION", "HEAD PART", "LIST PARTS"}
    | {"LIST UPLOADS", "READ", "READ AHEAD", "READ EARLIER", "READ RECORDED", "FIND UPLOAD", "FIND UPLOADS"}
    | {"READ GATES", "READ PARKED", "READ BASES", "FIND QUEUE"}
)


class Points(Protocol):
    """Lets one call happen, now or later, or not at all."""

    def call(self, call: Call, effect: Callable[[], T]) -> T:
        """Return what the effect returns, or raise what went wrong."""


@dataclass(slots=True)
class Straight:
    """Every call gets through at once and is remembered."""

    calls: list[Call] = field(default_factory=list)

    def call(self, call: Call, effect: Callable[[], T]) -> T:
        self.calls.append(call)
        return effect()


@dataclass(frozen=True, slots=True)
class Mishap:
    """What goes wrong at a call: `error` is raised instead of the effect, or `after` it, as when an answer is lost."""

    error: BaseException
    after: bool = False


@dataclass(slots=True)
class Scripted:
    """Calls go wrong as `plan` says."""

    plan: Callable[[Call], Mishap | None]
    calls: list[Call] = field(default_factory=list)

    def call(self, call: Call, effect: Callable[[], T]) -> T:
        self.calls.append(call)
        mishap = self.plan(call)
        if mishap is None:
            return effect()
        if mishap.after:
            effect()
        raise mishap.error
