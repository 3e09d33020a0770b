"""The check of both directions: find the destination's Region -> its figures -> the answer -> the keys, if known.

Knows neither AWS nor the terminal: what reaches AWS comes in as functions, each of which may fail without the others.
"""

from collections.abc import Callable
from dataclasses import dataclass

from replicator.core.outcomes.recovery import Buckets, Figures

from s3replicator.failed_calls import CallFailed
from s3replicator.failover.answer import Answer, Verdict, may_fail_over, with_lost_keys
from s3replicator.failover.lost_keys import LostKeys


class Unreachable(Exception):
    """What is in the source's Region cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How the check reaches AWS. find_region: returns a bucket's Region, None if nobody knows it.

    figures: returns the latest figures about a pair of buckets in a Region; raises CallFailed. lost_keys: reads the
    journal of the stack in the source's Region; raises Unreachable. now: returns epoch seconds.
    """

    find_region: Callable[[str], str | None]
    figures: Callable[[str, Buckets], Figures | None]
    lost_keys: Callable[[Buckets], LostKeys]
    source_region: str | None
    now: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Direction:
    """What was found out about one direction. region: the destination's. keys: None if they cannot be known."""

    source: str
    destination: str
    region: str | None
    figures: Figures | None
    answer: Answer
    keys: LostKeys | None = None
    notes: tuple[str, ...] = ()


def check(source: str, destination: str, reach: Reach, *, accept_unverified: bool = False) -> list[Direction]:
    """Return the direction that was asked for, then the reverse one if its figures show that there is one."""
    region = reach.find_region(destination)
    asked = _check(source, destination, region, reach, accept_unverified=accept_unverified)
    try:
        figures = reach.figures(reach.source_region, (destination, source)) if reach.source_region else None
    except CallFailed as failed:
        why = f"whether there is a reverse direction is unknown: {failed.call.advice('metrics')}"
        return [_with_keys(asked, reach, why)]
    asked = _with_keys(asked, reach)
    if figures is None:
        return [asked]
    answer = may_fail_over(figures, reach.now(), accept_unverified=accept_unverified)
    note = f"for the keys, run: s3replicator failover check {destination} {source} --region {region or '...'}"
    return [asked, Direction(destination, source, reach.source_region, figures, answer, notes=(note,))]


def _check(source: str, destination: str, region: str | None, reach: Reach, *, accept_unverified: bool) -> Direction:
    if region is None:
        why = f"the Region of {destination} cannot be found out; name it with --destination-region"
        return Direction(source, destination, None, None, Answer(Verdict.UNKNOWN, (why,)))
    try:
        figures = reach.figures(region, (source, destination))
    except CallFailed as failed:
        why = f"the figures in {region} cannot be read: {failed.call.advice('metrics')}"
        return Direction(source, destination, region, None, Answer(Verdict.UNKNOWN, (why,)))
    answer = may_fail_over(figures, reach.now(), accept_unverified=accept_unverified)
    return Direction(source, destination, region, figures, answer)


def _with_keys(found: Direction, reach: Reach, *notes: str) -> Direction:
    keys: LostKeys | None = None
    try:
        keys = reach.lost_keys((found.source, found.destination))
    except Unreachable as trouble:
        notes = (*notes, f"the keys that would be lost are not known: {trouble}")
    answer = with_lost_keys(found.answer, len(keys.keys)) if keys else found.answer
    return Direction(found.source, found.destination, found.region, found.figures, answer, keys, notes)
