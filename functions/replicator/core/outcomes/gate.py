"""The gate of a destination: open, shut while the destination fails for every key, and opening after that.

    OPEN --(several keys failed for 45 s, and none succeeded)--> SHUT --(a probe succeeded)--> OPENING --> OPEN
                                                                  ^---(most of what went out failed)--'

While it is shut, one change a minute goes out as a probe, and everything else is parked without a request. While it is
opening, parked changes go out at a rate that grows each minute, and new ones wait behind them. Pure: the functions keep
the gate in the journal, and the model of an outage runs the same transitions.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from replicator.core.outcomes.outcome import Outcome, Reason, Side, Status

SEVERAL = 3
"""Different keys that must fail in one container before trouble is the destination's and not theirs."""
SHUT_AFTER_MS = 45_000
"""How long they must have failed: shorter trouble is left to the queue."""
FIRST_RATE = 60
"""Changes in the first minute after a probe succeeded: one a second."""
GROWTH = 4
"""How much the rate grows each minute while nearly all changes succeed: 1, 4, 16, 64, 256, 1,024 a second."""
FEW, MOST = 0.1, 0.5
"""Shares of troubled changes: up to FEW the rate grows, up to MOST it is halved, above that the gate is shut again."""
PROBE_EVERY_MS = 50_000
"""Less than the minute between two runs of the monitor, more than a run that is late and one that is early."""

OF_EVERYBODY = frozenset({Reason.TIMED_OUT, Reason.SERVICE, Reason.THROTTLED})
"""Temporary trouble that a whole destination may have. Other codes are those of one request."""
DENIED = frozenset(
    {
        Reason.ASSUME_ROLE_DENIED,
        Reason.DST_BUCKET_DENIED,
        Reason.DST_DELETE_DENIED,
        Reason.DST_GET_DENIED,
        Reason.DST_KMS_DENIED,
        Reason.DST_MULTIPART_COMPLETE_DENIED,
        Reason.DST_MULTIPART_INIT_DENIED,
        Reason.DST_MULTIPART_UPLOAD_DENIED,
        Reason.DST_PUT_ACL_DENIED,
        Reason.DST_PUT_DENIED,
        Reason.DST_PUT_LEGAL_HOLD_DENIED,
        Reason.DST_PUT_RETENTION_DENIED,
        Reason.DST_PUT_TAGS_DENIED,
    }
)
"""What a destination denies. Such changes fail at once, gate or not: they are retried when somebody redrives them."""


class GateState(StrEnum):
    """Whether changes may go to a destination."""

    OPEN = "OPEN"
    OPENING = "OPENING"
    SHUT = "SHUT"


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate of one destination. Times are epoch milliseconds.

    since: of the state. reason, detail: of the trouble that shut it. rate: changes a minute while it opens. probed:
    when the last probe was sent. succeeded, troubled: changes that ended so since the last step. stepped: when that
    was. quiet: since when nothing is parked, 0 if something may be. denied: since when everything is denied, 0 if
    something is not; denied_reason: how.
    """

    destination: str
    state: GateState = GateState.OPEN
    since: int = 0
    reason: str = ""
    detail: str = ""
    rate: int = 0
    probed: int = 0
    succeeded: int = 0
    troubled: int = 0
    stepped: int = 0
    quiet: int = 0
    denied: int = 0
    denied_reason: str = ""

    def admits(self, *, parked: bool, probe: bool) -> bool:
        """Return whether a change may go to the destination. parked: it was, and was sent for; probe: to try."""
        if self.state is GateState.SHUT:
            return probe
        return self.state is GateState.OPEN or parked or probe


@dataclass(frozen=True, slots=True)
class Step:
    """What the monitor does with a gate in this minute: the gate as it becomes, and how many changes it sends for."""

    gate: Gate
    releases: int = 0
    probe: bool = False


def step(gate: Gate, now: int, due: int, full: int) -> Step:
    """Return the next minute of a gate. due: parked changes that are due; full: changes a minute at most."""
    if gate.state is GateState.OPEN:
        return Step(gate, min(due, full))
    if gate.state is GateState.SHUT:
        return _probe(gate, now, due)
    return _open_further(gate, now, due, full)


def _open_further(gate: Gate, now: int, due: int, full: int) -> Step:
    answered = gate.succeeded + gate.troubled
    if answered and gate.troubled > MOST * answered:
        return _probe(shut(gate, gate.reason, gate.detail, now), now, due)
    counted = replace(gate, succeeded=0, troubled=0, stepped=now)
    if not answered and gate.stepped:
        return Step(replace(gate, stepped=now), min(due, gate.rate))  # its changes are still on the way
    if answered and gate.troubled > FEW * answered:
        slower = replace(counted, rate=max(FIRST_RATE, gate.rate // 2))
        return Step(slower, min(due, slower.rate))
    faster = replace(counted, rate=min(full, gate.rate * GROWTH) if gate.stepped else FIRST_RATE)
    if faster.rate >= full or due <= faster.rate:
        return Step(replace(faster, state=GateState.OPEN, since=now), min(due, full))
    return Step(faster, min(due, faster.rate))


def _probe(gate: Gate, now: int, due: int) -> Step:
    if not due or now - gate.probed < PROBE_EVERY_MS:
        return Step(gate)
    return Step(replace(gate, probed=now), 1, probe=True)


def shut(gate: Gate, reason: str, detail: str, now: int) -> Gate:
    """Return the gate shut, whatever it was."""
    return Gate(
        gate.destination,
        GateState.SHUT,
        since=now,
        reason=reason,
        detail=detail,
        denied=gate.denied,
        denied_reason=gate.denied_reason,
    )


def opening(gate: Gate, now: int) -> Gate:
    """Return a shut gate after its first success."""
    return replace(gate, state=GateState.OPENING, since=now, rate=FIRST_RATE, succeeded=0, troubled=0, stepped=0)


class Seen(StrEnum):
    """What the outcome of one change says about its destination."""

    SUCCESS = "success"
    TROUBLE = "trouble"
    DENIAL = "denial"
    ANSWER = "answer"
    NOTHING = "nothing"


def seen_in(outcome: Outcome) -> Seen:
    """Return what an outcome says about the destination.

    A failure for the change's own reason is an answer: the destination works, but may deny everybody.
    """
    if outcome.status is Status.COMPLETED:
        return Seen.SUCCESS
    if outcome.status is Status.PENDING:
        is_its_own = outcome.side is Side.DESTINATION and outcome.reason in OF_EVERYBODY
        return Seen.TROUBLE if is_its_own else Seen.NOTHING
    if outcome.status is Status.FAILED and outcome.reason in DENIED:
        return Seen.DENIAL
    return Seen.ANSWER if outcome.side is Side.DESTINATION else Seen.NOTHING


@dataclass(slots=True)
class Evidence:
    """What one container saw of one destination since the last success there. since: of the first trouble, epoch ms."""

    since: int = 0
    troubled: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)

    def add(self, seen: Seen, key: str, now: int) -> None:
        """Add what one change of a key has shown. Only the first SEVERAL keys are kept."""
        if seen is Seen.SUCCESS:
            self.denied.clear()
        if seen in {Seen.SUCCESS, Seen.ANSWER, Seen.DENIAL}:
            self.since = 0
            self.troubled.clear()
        if seen is Seen.DENIAL and len(self.denied) < SEVERAL:
            self.denied.add(key)
        if seen is Seen.TROUBLE:
            self.since = self.since or now
            if len(self.troubled) < SEVERAL:
                self.troubled.add(key)

    def is_down(self, now: int, *, opening: bool) -> bool:
        """Return whether the destination fails for everybody. opening: its gate is, and nothing has succeeded since."""
        return len(self.troubled) >= SEVERAL and (opening or now - self.since >= SHUT_AFTER_MS)

    @property
    def denies_all(self) -> bool:
        """Return whether the destination denied several keys, and nothing succeeded since the first."""
        return len(self.denied) >= SEVERAL
