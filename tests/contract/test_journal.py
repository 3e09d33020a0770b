"""The journal: what is settled, what waits and what was reported; in the fake and in the adapter to DynamoDB."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import pytest
from replicator.aws.journal import DynamoJournal
from replicator.core.aspects.base import Agreement, Base, agreed
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.outcomes.backoff import OVERDUE_MS
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Replica
from replicator.flows.ports import CLAIM_MS, Earlier, Journal, Note, Reported, Waiting

from tests.fakes.journal import MemoryJournal

NOON = 1_700_000_000_000
NOTE = Note("rule", 5, NOON, 1, NOON + 1000)
TOP = Replica("w1", '"etag"', Origin("east", "e1", NOON // 1000))
T = TypeVar("T")


def waiting(status: Status = Status.PENDING, version_id: str = "v1", attempts: int = 1) -> Waiting:
    reason = Reason.THROTTLED if status is Status.PENDING else Reason.DST_PUT_DENIED
    note = replace(NOTE, attempts=attempts)
    return Waiting(status, reason, "why", version_id, note, 900_000, NOON + 60_000, receives=attempts)


# The memory of a pair


def test_the_memory_of_a_pair_that_was_never_settled_is_empty(journal: Journal, pair: Pair) -> None:
    assert journal.read(pair) == Memory()


@pytest.mark.parametrize("top", [TOP, None], ids=["a replica on top", "nothing on top"])
def test_memory_is_read_as_it_was_settled(journal: Journal, pair: Pair, top: Replica | None) -> None:
    after = Memory(1, top, "0055AED6DCD9", ("e1", "e2"))
    assert journal.settle(pair, Memory(), after, NOTE)
    assert journal.read(pair) == replace(after, completed=NOTE.completed)


def test_of_two_handlers_that_saw_the_same_generation_one_settles(journal: Journal, pair: Pair) -> None:
    seen = journal.read(pair)
    assert journal.settle(pair, seen, Memory(1, TOP, "1", ("e1",)), NOTE)
    assert not journal.settle(pair, seen, Memory(1, None, "2", ("e2",)), NOTE)
    assert journal.read(pair).settled == ("e1",)


def test_a_handler_that_saw_an_older_generation_settles_nothing(journal: Journal, pair: Pair) -> None:
    first = Memory(1, TOP, "1", ("e1",))
    assert journal.settle(pair, Memory(), first, NOTE)
    assert journal.settle(pair, first, Memory(2, TOP, "2", ("e1", "e2")), NOTE)
    assert not journal.settle(pair, first, Memory(2, None, "", ()), NOTE)
    assert journal.read(pair).generation == 2


def test_settling_one_pair_changes_no_other_pair(journal: Journal, pair: Pair) -> None:
    assert journal.settle(pair, Memory(), Memory(1, TOP, "1", ("e1",)), NOTE)
    for other in (replace(pair, destination="north"), replace(pair, source="south"), replace(pair, key=pair.key + "2")):
        assert journal.read(other) == Memory()


def test_a_waiting_version_and_the_memory_of_its_pair_are_kept_apart(journal: Journal, pair: Pair) -> None:
    journal.wait(pair, waiting())
    assert journal.read(pair) == Memory()
    assert journal.settle(pair, Memory(), Memory(1, TOP, "1", ("v1",)), NOTE)
    earlier = journal.earlier(pair, "v1")
    assert earlier is not None
    assert earlier.status is Status.PENDING


# Versions that wait


def test_a_version_that_never_waited_has_no_entry(journal: Journal, pair: Pair) -> None:
    assert journal.earlier(pair, "v1") is None
    assert journal.close(pair, "v1", NOON) is None
    assert journal.earlier(pair, "v1") is None


def test_a_waiting_version_is_remembered_with_how_many_deliveries_ended(journal: Journal, pair: Pair) -> None:
    assert journal.wait(pair, waiting(attempts=1)) is None
    before = journal.wait(pair, waiting(attempts=2))
    assert before is not None
    assert (before.status, before.finished) == (Status.PENDING, 1)
    now = journal.earlier(pair, "v1")
    assert now is not None
    assert now.finished == 2


def test_a_failure_is_remembered_with_its_reason(journal: Journal, pair: Pair) -> None:
    journal.wait(pair, waiting(Status.FAILED))
    earlier = journal.earlier(pair, "v1")
    assert earlier is not None
    assert (earlier.status, earlier.reason) == (Status.FAILED, Reason.DST_PUT_DENIED)


@pytest.mark.parametrize("late", [Status.PENDING, Status.FAILED])
def test_a_completed_version_stays_completed(journal: Journal, pair: Pair, late: Status) -> None:
    journal.wait(pair, waiting())
    assert journal.close(pair, "v1", NOON) is not None
    journal.wait(pair, waiting(late))
    journal.begin(pair, waiting(late))
    earlier = journal.earlier(pair, "v1")
    assert earlier is not None
    assert earlier.status is Status.COMPLETED


def test_deliveries_that_begin_are_counted_until_one_ends(journal: Journal, pair: Pair) -> None:
    journal.begin(pair, waiting())
    journal.begin(pair, waiting())
    begun = journal.earlier(pair, "v1")
    assert begun is not None
    assert begun.tried_alone == 2
    journal.wait(pair, waiting())
    ended = journal.earlier(pair, "v1")
    assert ended is not None
    assert ended.tried_alone == 0


def test_a_completion_remembers_which_message_it_was_noted_for(journal: Journal, pair: Pair) -> None:
    journal.note_completed(pair, "v1", "message 1", NOON)
    earlier = journal.earlier(pair, "v1")
    assert earlier is not None
    assert (earlier.status, earlier.message) == (Status.COMPLETED, "message 1")


def test_a_late_version_is_reported_by_one_handler_and_once(journal: Journal, pair: Pair) -> None:
    journal.wait(pair, waiting())
    assert journal.claim_missed(pair, "v1", NOON, "one")
    assert not journal.claim_missed(pair, "v1", NOON + 1, "other")
    assert journal.claim_missed(pair, "v1", NOON + 1, "one")
    assert journal.claim_missed(pair, "v1", NOON + 1 + CLAIM_MS + 1, "other")
    journal.note_reported(pair, "v1", Reported.MISSED)
    assert not journal.claim_missed(pair, "v1", NOON + 10 * CLAIM_MS, "one")


def test_one_message_at_a_time_may_report_a_failure(journal: Journal, pair: Pair) -> None:
    assert journal.claim_failure(pair, "v1", NOON, "one") is None
    refused = journal.claim_failure(pair, "v1", NOON + 1, "other")
    assert refused is not None
    assert refused.status is Status.PENDING
    assert journal.claim_failure(pair, "v1", NOON + 1, "one") is None, "it came back, for it was not done"
    assert journal.claim_failure(pair, "v1", NOON + 1 + OVERDUE_MS + 1, "other") is None, "it never came back"


def test_a_failure_that_was_reported_cannot_be_claimed(journal: Journal, pair: Pair) -> None:
    assert journal.claim_failure(pair, "v1", NOON, "one") is None
    journal.wait(pair, waiting(Status.FAILED))
    assert journal.claim_failure(pair, "v1", NOON, "one") is None, "it was not reported yet"
    journal.note_reported(pair, "v1", Reported.FAILED)
    for who in ("one", "other"):
        refused = journal.claim_failure(pair, "v1", NOON, who)
        assert refused is not None
        assert (refused.status, refused.failure_reported) == (Status.FAILED, True)


def test_a_failure_after_a_reported_one_can_be_claimed(journal: Journal, pair: Pair) -> None:
    """As when a redriven object goes on in parts, and a message of its parts fails."""
    assert journal.claim_failure(pair, "v1", NOON, "one") is None
    journal.wait(pair, waiting(Status.FAILED))
    journal.note_reported(pair, "v1", Reported.FAILED)
    journal.wait(pair, waiting())
    assert journal.claim_failure(pair, "v1", NOON + 1, "other") is None


def test_a_claim_is_closed_with_its_version_and_never_opens_it(journal: Journal, pair: Pair) -> None:
    assert journal.claim_failure(pair, "v1", NOON, "one") is None
    assert journal.close(pair, "v1", NOON) is not None
    refused = journal.claim_failure(pair, "v1", NOON + OVERDUE_MS + 1, "one")
    assert refused is not None
    assert refused.status is Status.COMPLETED


def test_what_a_version_and_its_replicas_agreed_on_is_read_as_it_was_kept(journal: Journal, pair: Pair) -> None:
    assert journal.agreement(pair, "v1") == Agreement()
    kept = Agreement({"tags": agreed("same"), "note": Base(("a",), ("b", "a"), "a", ("0",))}, {"tags": ("r1", "r2")})
    journal.keep_agreement(pair, "v1", kept)
    assert journal.agreement(pair, "v1") == kept
    assert journal.agreement(pair, "v2") == Agreement()


# Random conversations


@dataclass
class Both:
    """The fake and the adapter, asked the same in the same order; `asked` has the whole conversation."""

    fake: Journal
    real: Journal
    draw: random.Random
    asked: list[str]

    def ask(self, name: str, question: Callable[[Journal], T]) -> T:
        fake, real = question(self.fake), question(self.real)
        self.asked.append(f"{name}: {fake}")
        assert fake == real, "\n".join(self.asked)
        return fake

    def converse(self, pair: Pair, version_id: str, now: int) -> None:
        """Ask one thing that a handler or the monitor may ask; what is reported was claimed, or failed, before."""
        which = waiting(self.draw.choice((Status.PENDING, Status.PENDING, Status.FAILED)), version_id)
        who, about = self.draw.choice(("one", "other")), f"{pair.destination} {version_id}"
        earlier = self.ask(f"earlier {about}", lambda journal: journal.earlier(pair, version_id))
        match self.draw.choice(("wait", "wait", "begin", "miss", "note_completed", "close", "settle", "claim")):
            case "claim":
                self.ask(
                    f"claim {about} {now} {who}",
                    lambda journal: _known(journal.claim_failure(pair, version_id, now, who)),
                )
            case "wait":
                self.ask(f"wait {which.status} {about}", lambda journal: _known(journal.wait(pair, which)))
                if which.status is Status.FAILED and (earlier is None or earlier.status is not Status.COMPLETED):
                    self.ask("report", lambda journal: journal.note_reported(pair, version_id, Reported.FAILED))
            case "begin":
                self.ask(f"begin {about}", lambda journal: journal.begin(pair, waiting(version_id=version_id)))
            case "miss":
                claimed = self.ask(
                    f"miss {about} {now} {who}", lambda journal: journal.claim_missed(pair, version_id, now, who)
                )
                if claimed and self.draw.random() < 0.5:
                    self.ask("report", lambda journal: journal.note_reported(pair, version_id, Reported.MISSED))
            case "note_completed":
                self.ask(
                    f"note_completed {about}",
                    lambda journal: journal.note_completed(pair, version_id, f"of {who}", now),
                )
            case "close":
                self.ask(f"close {about}", lambda journal: journal.close(pair, version_id, now))
            case _:
                seen = self.ask("read", lambda journal: journal.read(pair))
                before = self.draw.choice((seen, seen, Memory()))
                after = Memory(before.generation + 1, self.draw.choice((TOP, None)), str(now), (version_id,))
                self.ask("settle", lambda journal: journal.settle(pair, before, after, NOTE))


def test_the_fake_answers_like_dynamodb_whatever_it_is_asked(table: DynamoJournal) -> None:
    for seed in range(12):
        draw = random.Random(seed)  # noqa: S311 - a conversation, not a secret
        both = Both(MemoryJournal(), table, draw, [f"seed {seed}"])
        now = NOON
        for _ in range(40):
            now += draw.choice((0, 1, 1000, CLAIM_MS, OVERDUE_MS))
            pair = Pair("east", draw.choice(("west", "north")), f"random {seed}")
            both.converse(pair, draw.choice(("v1", "v2")), now)


def _known(earlier: Earlier | None) -> object:
    """Of a completed version nothing but that matters."""
    return Status.COMPLETED if earlier and earlier.status is Status.COMPLETED else earlier
