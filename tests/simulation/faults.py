"""What can go wrong with one call, and which of it does in one history."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from replicator.core.outcomes.outcome import Conflict, Permanent, Reason, Temporary
from replicator.core.parts.uploads import UploadSpoiled

from tests.fakes.points import Call
from tests.simulation.choices import Choices

S3_WRITES = frozenset({"COPY", "DELETE", "COMPLETE"})
DENIED = {
    ("HEAD", "source"): Reason.SRC_HEAD_DENIED,
    ("GET TAGS", "source"): Reason.SRC_TAGS_DENIED,
    ("COPY", "destination"): Reason.DST_PUT_DENIED,
    ("DELETE", "destination"): Reason.DST_DELETE_DENIED,
    ("START", "destination"): Reason.DST_MULTIPART_INIT_DENIED,
    ("COPY PART", "destination"): Reason.DST_MULTIPART_UPLOAD_DENIED,
    ("COMPLETE", "destination"): Reason.DST_MULTIPART_COMPLETE_DENIED,
    ("PUT TAGS", "destination"): Reason.DST_PUT_TAGS_DENIED,
    ("PUT ACL", "destination"): Reason.DST_PUT_ACL_DENIED,
    ("PUT RETENTION", "destination"): Reason.DST_PUT_RETENTION_DENIED,
    ("PUT LEGAL HOLD", "destination"): Reason.DST_PUT_LEGAL_HOLD_DENIED,
    ("PUT TAGS", "source"): Reason.SRC_PUT_TAGS_DENIED,
    ("PUT ACL", "source"): Reason.SRC_PUT_ACL_DENIED,
    ("PUT RETENTION", "source"): Reason.SRC_PUT_RETENTION_DENIED,
    ("PUT LEGAL HOLD", "source"): Reason.SRC_PUT_LEGAL_HOLD_DENIED,
    ("FORWARD", "queue"): Reason.OWNER_DENIED,
}


class Kill:
    """The function is killed instead of making this call. A kill after a call is a kill before the next one."""

    def __str__(self) -> str:
        return "killed"

    def apply(self, call: Call, effect: Callable[[], Any]) -> Any:
        """Never reached: the scheduler ends the handler."""
        raise AssertionError(call)


@dataclass(frozen=True, slots=True)
class Fail:
    """The call raises. `after`: it had its effect, and only the answer is lost."""

    error: Exception
    after: bool = False

    def __str__(self) -> str:
        return f"{self.error}{' (but it was done)' if self.after else ''}"

    def apply(self, call: Call, effect: Callable[[], Any]) -> Any:
        """Raise, before or after the effect."""
        if self.after:
            effect()
        if call.operation == "HIDE":
            return None  # that port raises nothing
        raise self.error


@dataclass(frozen=True, slots=True)
class Misfortune:
    """How much goes wrong in one history: percent of calls, how often at most, and which kinds."""

    percent: int
    left: int
    kinds: tuple[str, ...]


KINDS = ("throttled", "killed", "lost", "busy", "denied")


def draw_misfortune(choices: Choices) -> Misfortune:
    """Choose for one history; half of them have no trouble at all."""
    percent = choices.one_of((0, 0, 0, 3, 10, 30))
    if not percent:
        return Misfortune(0, 0, ())
    left = 1 + choices.below(8)
    kinds = tuple(kind for kind in KINDS if choices.below(2)) or KINDS[:1]
    return Misfortune(percent, left, kinds)


def draw_fault(kinds: tuple[str, ...], call: Call, choices: Choices) -> Fail | Kill | None:
    """Choose what goes wrong with this call; None if that kind of trouble cannot happen to it."""
    kind = choices.one_of(kinds)
    if kind == "killed":
        return Kill()
    if kind == "busy":
        conflict = UploadSpoiled if call.operation == "COMPLETE" else Conflict
        return Fail(conflict("409 ConditionalRequestConflict")) if call.operation in S3_WRITES else None
    if kind == "denied":
        reason = DENIED.get((call.operation, call.side))
        return Fail(Permanent(reason, "AccessDenied")) if reason else None
    if kind == "lost":
        return Fail(Temporary(Reason.TIMED_OUT, "no answer"), after=call.writes)
    return Fail(Temporary(Reason.THROTTLED, "503 SlowDown"))
