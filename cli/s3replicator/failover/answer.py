"""May one fail over? The latest figures of a pair of buckets and the time -> SAFE, LOSES or UNKNOWN, with the reasons.

Pure, and separate from what reads the figures, so that it can be checked against the truth of random histories.
"""

from dataclasses import dataclass
from enum import StrEnum

from replicator.core.outcomes.gate import GateState
from replicator.core.outcomes.recovery import Figures

from s3replicator.formatting import duration, plural

STALE_SECONDS = 180
"""Figures come every minute: older ones mean that the monitor, its Region, or the way from there is in trouble."""
FAR_BEHIND_SECONDS = 600
"""A recovery point that lags more than this behind the monitor's look: messages wait on the queue, not just pass it."""


class Verdict(StrEnum):
    """Whether one may fail over.

    SAFE: everything that was written before the recovery point is there, and nothing is known to be missing. LOSES:
    something is missing. UNKNOWN: the figures do not say.
    """

    SAFE = "SAFE"
    LOSES = "LOSES"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict with its reasons. waived: reasons for doubt that the operator has accepted.

    With LOSES, reasons for doubt mean that more may be missing than is known.
    """

    verdict: Verdict
    why: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()


NO_FIGURES = "the monitor has published no figures about these buckets in the last two hours"
UNVERIFIED = (
    "nobody has verified that the destination has what the source had before its rules, or the last verification found "
    "differences; run s3replicator verify (--repair mends what differs), or accept the doubt with --accept-unverified"
)
GATE = "the destination did not take changes lately, so only a few are sent to it until it does"


def may_fail_over(figures: Figures | None, now: int, *, accept_unverified: bool = False) -> Answer:
    """Return whether one may fail over, by the latest figures. now: epoch seconds."""
    if figures is None:
        return Answer(Verdict.UNKNOWN, (NO_FIGURES,))
    waived = (UNVERIFIED,) if figures.unverified and accept_unverified else ()
    losses, doubts = _losses(figures), _doubts(figures, waived)
    age = now - figures.looked
    if age > STALE_SECONDS:
        stale = f"the figures are {duration(age)} old: the monitor, its Region, or the way from there is in trouble"
        return Answer(Verdict.UNKNOWN, (stale, *losses, *doubts), waived)
    if losses:
        return Answer(Verdict.LOSES, (*losses, *doubts), waived)
    return Answer(Verdict.UNKNOWN if doubts else Verdict.SAFE, doubts, waived)


def _losses(figures: Figures) -> tuple[str, ...]:
    missing = figures.missing
    found = []
    if missing.operations:
        parked = f", {missing.parked} of them parked" if missing.parked else ""
        found.append(f"{plural(missing.operations, 'change')} not there yet{parked}")
    if missing.failed:
        found.append(f"{plural(missing.failed, 'change')} failed; see s3replicator failures list")
    return tuple(found)


def _doubts(figures: Figures, waived: tuple[str, ...]) -> tuple[str, ...]:
    """Return why more may be missing than is known."""
    found = []
    point = figures.recovery_point
    messages = (
        f"{plural(figures.unexplained, 'message')} on the change queue or dead-letter queue not in the journal yet"
    )
    if point is None:
        found.append(f"{messages}, and how long they have waited is unknown")
    elif figures.unexplained and not figures.lost and figures.looked - point > FAR_BEHIND_SECONDS:
        found.append(
            f"{messages}, and everything is known to be there only until {duration(figures.looked - point)} ago"
        )
    if figures.missing.gate is not GateState.OPEN:
        found.append(GATE)
    if figures.unverified and not waived:
        found.append(UNVERIFIED)
    return tuple(found)


def with_lost_keys(answer: Answer, keys: int) -> Answer:
    """Return the answer after a look into the journal, which knows what is missing now.

    That is more than the figures of the last minute, or than none: a destination that does not say its Region gets
    none. Figures that are stale, or a Region that does not answer, leave it UNKNOWN.
    """
    if not keys or (answer.verdict is not Verdict.SAFE and answer.why != (NO_FIGURES,)):
        return answer
    since = f"{plural(keys, 'change')} not there yet, or failed, since the monitor looked"
    return Answer(Verdict.LOSES, (since, *answer.why), answer.waived)
