"""Messages that SQS gave up: the monitor says why, once, and their entries do not wait for ever."""

import pytest
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Reason, Status

from tests.flows.stage import EAST, Killed
from tests.flows.watching import Watched, waiting


def vanish(watched: Watched) -> None:
    """Let SQS give up every message that is on the queue."""
    watched.queues.given_up_bodies += [letter.body for letter in watched.on.queue.letters.values()]
    watched.on.queue.letters.clear()


def test_a_message_that_sqs_gave_up_fails_with_the_reason_of_its_last_trouble() -> None:
    watched = waiting("a")
    vanish(watched)
    watched.look()
    assert [reason for _, reason in watched.on.waiting().values()] == [Reason.THROTTLED]
    assert [status for status, _ in watched.on.waiting().values()] == [Status.FAILED]
    [notice] = watched.on.notices.published
    assert (notice.kind, notice.reason, notice.rule_id) == (NoticeKind.FAILED, "Throttled", "to west")
    [failed] = watched.gauges.recorded
    assert (failed.attempt.change.bucket, failed.score.within) == (EAST, False)
    assert watched.on.queue.dead == [], "it lies there already"


def test_one_of_which_nothing_is_known_died_in_its_function() -> None:
    watched = Watched()
    watched.on.put("a")
    vanish(watched)
    watched.look()
    [(_, outcome)] = watched.log.outcomes
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.FUNCTION_DIED)


def test_it_is_explained_once() -> None:
    watched = waiting("a")
    vanish(watched)
    for _ in range(3):
        watched.look()
    assert watched.kinds() == [NoticeKind.FAILED]
    assert len(watched.gauges.recorded) == 1


@pytest.mark.parametrize("step", ["WAIT", "PUBLISH", "TELL"])
def test_it_is_explained_even_if_the_monitor_dies_meanwhile(step: str) -> None:
    watched = waiting("a")
    vanish(watched)
    watched.on.fail(step, Killed(), 1)
    with pytest.raises(Killed):
        watched.look()
    watched.look()
    assert watched.kinds()[-1] is NoticeKind.FAILED
    assert [status for status, _ in watched.on.waiting().values()] == [Status.FAILED]
    watched.look()
    assert len(watched.kinds()) <= 2


def test_a_letter_whose_object_got_through_after_all_is_no_failure() -> None:
    watched = Watched()
    watched.on.put("a")
    [letter] = watched.on.queue.visible()
    watched.on.rest()
    watched.queues.given_up_bodies.append(letter.body)
    watched.look()
    assert watched.kinds() == []
    assert watched.on.waiting() == {}


@pytest.mark.parametrize("body", ["garbage", "{}"])
def test_a_letter_that_cannot_be_read_disturbs_nobody(body: str) -> None:
    watched = Watched()
    watched.queues.given_up_bodies.append(body)
    watched.look()
    assert watched.kinds() == []


def test_redriven_it_completes_like_any_other() -> None:
    watched = waiting("a")
    vanish(watched)
    watched.look()
    watched.on.orders.clear()
    watched.on.queue.send(watched.queues.given_up_bodies.pop(), redriven=True)
    watched.on.rest()
    assert len(watched.on.replicas("a")) == 1
    assert watched.on.waiting() == {}
