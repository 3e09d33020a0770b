"""A destination that is away for a day, or denies everything: what waits, what fails, and how it comes back."""

import random
from dataclasses import replace

from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Permanent, Reason

from tests.flows.watching import SLOW, Watched

DENIED = Permanent(Reason.DST_PUT_DENIED, "AccessDenied")


def test_a_destination_that_is_away_for_a_day_costs_no_failure_and_its_backlog_drains_spread_out() -> None:
    watched = Watched()
    on = watched.on
    draw = random.Random(7)  # noqa: S311 - a story, not a secret
    on.consumer = replace(on.consumer, jitter=draw.random)
    on.change_closing(last_receive=210)
    on.fail("COPY", SLOW, 10**9)
    for number in range(40):
        on.put(str(number))
    back = on.s3.clock.now + 24 * 3600
    arrivals: list[float] = []
    while on.queue.letters:
        soonest = min(letter.visible for letter in on.queue.letters.values())
        on.s3.clock.advance(max(0.0, soonest - on.s3.clock.now))
        if on.s3.clock.now >= back and on.orders:
            on.orders.clear()
            assert watched.look().all.operations == 40
        before = len(on.queue.letters)
        on.deliver(*on.queue.visible()[:10])
        arrivals += [on.s3.clock.now] * (before - len(on.queue.letters))
    assert on.queue.dead == []
    assert watched.look().all.operations == 0
    attempts = len(on.calls("COPY")) / 40
    assert attempts < 200
    assert arrivals[-1] - back < 15 * 60, "drained within the longest delay"
    busiest = max(sum(at <= other < at + 30 for other in arrivals) for at in arrivals)
    assert busiest <= 10, "no storm: at most a quarter in any half a minute"


def test_a_destination_that_denies_everything_is_one_group_and_a_redrive_after_the_repair_clears_it() -> None:
    watched = Watched()
    on = watched.on
    on.fail("COPY", DENIED, 30)
    for number in range(30):
        on.put(str(number))
    on.rest()
    assert watched.told == {(NoticeKind.FAILED, str(number)): 1 for number in range(30)}
    assert {letter.outcome.reason for letter in on.queue.dead} == {Reason.DST_PUT_DENIED}
    on.queue.redrive()
    on.rest()
    assert all(len(on.replicas(str(number))) == 1 for number in range(30))
    assert on.waiting() == {}
    assert on.queue.dead == []
