"""The journal of later changes: who may write now, and what two sides agreed on; in the fake and in DynamoDB."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from replicator.aws.journal import DynamoJournal
from replicator.core.aspects.base import Agreement, Base, agreed
from replicator.core.deciding.journal import Memory, Pair
from replicator.core.versions.origin import Origin
from replicator.core.versions.version import Replica
from replicator.flows.ports import Journal, Note

from tests.fakes.journal import MemoryJournal

NOON = 1_700_000_000_000
LATER = NOON + 160_000
SETTLED = Memory(1, Replica("w1", '"etag"', Origin("east", "e1", NOON // 1000)), "1", ("e1",))
NOTE = Note("rule", 5, NOON, 1)
GIVEN = {"tags": "0a1b2c3d"}
ONE_SIDED = Base(("a", "b"), ("b", "c"), "c")


# Leases


def test_a_lease_comes_with_the_memory_of_its_pair(journal: Journal, pair: Pair) -> None:
    assert journal.lease(pair, "one", NOON, LATER) == Memory()
    assert journal.lease(replace(pair, destination="north"), "other", NOON, LATER) == Memory()
    journal.release(pair, "one", Memory(), NOON)
    journal.settle(pair, Memory(), SETTLED, NOTE)
    assert journal.lease(pair, "one", NOON, LATER) == SETTLED


def test_of_two_holders_the_second_gets_nothing_before_the_lease_has_ended(journal: Journal, pair: Pair) -> None:
    journal.lease(pair, "one", NOON, LATER)
    assert journal.lease(pair, "other", NOON + 1, LATER + 1) is None
    assert journal.lease(pair, "other", LATER, LATER + 1) is None
    assert journal.lease(pair, "other", LATER + 1, LATER + 160_000) is not None
    assert journal.lease(pair, "one", LATER + 2, LATER + 160_000) is None


def test_a_request_for_a_lease_whose_answer_was_lost_is_granted_again(journal: Journal, pair: Pair) -> None:
    journal.lease(pair, "one", NOON, LATER)
    assert journal.lease(pair, "one", NOON, LATER) == Memory()
    assert journal.lease(pair, "other", NOON, LATER) is None


def test_a_lease_that_is_released_is_free(journal: Journal, pair: Pair) -> None:
    for before in (Memory(), SETTLED):
        journal.lease(pair, "one", NOON, LATER)
        journal.release(pair, "one", before, NOON)
        assert journal.lease(pair, "other", NOON, LATER) == before
        journal.release(pair, "other", before, NOON)
        journal.settle(pair, Memory(), SETTLED, NOTE)


def test_nobody_releases_the_lease_of_another(journal: Journal, pair: Pair) -> None:
    for before in (Memory(), SETTLED):
        journal.lease(pair, "one", NOON, LATER)
        journal.release(pair, "other", before, NOON, GIVEN)
        assert journal.lease(pair, "third", NOON, LATER) is None
        assert not journal.read(pair).given
        journal.release(pair, "one", before, NOON)
        journal.settle(pair, Memory(), SETTLED, NOTE)


def test_who_was_overtaken_releases_nothing(journal: Journal, pair: Pair) -> None:
    journal.settle(pair, Memory(), SETTLED, NOTE)
    journal.lease(pair, "slow", NOON, LATER)
    journal.lease(pair, "quick", LATER + 1, LATER + 160_000)
    journal.release(pair, "slow", SETTLED, LATER + 2, GIVEN)
    assert journal.lease(pair, "third", LATER + 3, LATER + 160_000) is None
    assert journal.read(pair) == SETTLED


def test_a_release_whose_answer_was_lost_may_be_sent_again(journal: Journal, pair: Pair) -> None:
    journal.settle(pair, Memory(), SETTLED, NOTE)
    journal.lease(pair, "one", NOON, LATER)
    journal.release(pair, "one", SETTLED, NOON, GIVEN)
    journal.lease(pair, "other", NOON, LATER)
    journal.release(pair, "one", SETTLED, NOON, {"tags": "old"})
    assert journal.lease(pair, "third", NOON, LATER) is None
    assert journal.read(pair).given == GIVEN


def test_a_release_records_what_the_top_was_given(journal: Journal, pair: Pair) -> None:
    journal.settle(pair, Memory(), SETTLED, NOTE)
    for given in (GIVEN, {**GIVEN, "acl": "1"}, {}):
        memory = journal.lease(pair, "one", NOON, LATER)
        assert memory is not None
        journal.release(pair, "one", memory, NOON, given)
        assert journal.read(pair) == replace(SETTLED, given=given)


def test_what_the_top_was_given_stays_if_a_release_does_not_say(journal: Journal, pair: Pair) -> None:
    journal.settle(pair, Memory(), replace(SETTLED, given=GIVEN), NOTE)
    journal.lease(pair, "one", NOON, LATER)
    journal.release(pair, "one", replace(SETTLED, given=GIVEN), NOON)
    assert journal.read(pair).given == GIVEN


def test_what_was_given_is_not_recorded_if_another_top_was_settled_since(journal: Journal, pair: Pair) -> None:
    journal.settle(pair, Memory(), SETTLED, NOTE)
    journal.lease(pair, "one", NOON, LATER)
    newer = replace(SETTLED, generation=2, top=None)
    assert journal.settle(pair, SETTLED, newer, NOTE)
    journal.release(pair, "one", SETTLED, NOON, GIVEN)
    assert journal.read(pair) == newer
    assert journal.lease(pair, "other", NOON, LATER) == newer


def test_a_lease_hinders_no_version(journal: Journal, pair: Pair) -> None:
    journal.lease(pair, "one", NOON, LATER)
    assert journal.read(pair) == Memory()
    assert journal.settle(pair, Memory(), SETTLED, NOTE)
    assert journal.lease(pair, "other", NOON, LATER) is None
    journal.release(pair, "one", Memory(), NOON, GIVEN)
    assert journal.lease(pair, "other", NOON, LATER) == SETTLED


# What was agreed on


def test_of_a_version_that_was_never_compared_nothing_is_agreed(journal: Journal, pair: Pair) -> None:
    assert journal.agreement(pair, "v1") == Agreement()


def test_an_agreement_is_read_as_it_was_kept(journal: Journal, pair: Pair) -> None:
    for kept in (
        Agreement({"tags": agreed(())}),
        Agreement({"tags": ONE_SIDED, "acl": agreed(None)}, {"tags": ("w1", "w2")}),
        Agreement({"annotations/tags ü/#": ONE_SIDED, "annotations/": agreed("etag")}, {"annotations": ("null",)}),
        Agreement({}, {"lock": ()}),
    ):
        for _ in range(2):
            journal.keep_agreement(pair, "v1", kept)
        assert journal.agreement(pair, "v1") == kept


def test_an_agreement_is_of_one_version_at_one_destination(journal: Journal, pair: Pair) -> None:
    journal.settle(pair, Memory(), SETTLED, NOTE)
    journal.keep_agreement(pair, "v1", Agreement({"tags": ONE_SIDED}))
    assert journal.agreement(pair, "v2") == Agreement()
    assert journal.agreement(replace(pair, destination="north"), "v1") == Agreement()
    assert journal.read(pair) == SETTLED
    assert journal.earlier(pair, "v1") is None
    assert journal.lease(pair, "one", NOON, LATER) == SETTLED


# Whatever it is asked


@dataclass
class Both:
    """The fake and the adapter, asked the same."""

    journals: tuple[MemoryJournal, DynamoJournal]
    said: list[str]

    def ask(self, what: str, question: Callable[[Journal], object]) -> object:
        fake, real = (question(journal) for journal in self.journals)
        self.said.append(f"{what}: {fake}")
        assert fake == real, "\n".join(self.said)
        return fake


def test_the_fake_leases_like_dynamodb_whatever_it_is_asked(table: DynamoJournal) -> None:
    for seed in range(10):
        draw = random.Random(seed)  # noqa: S311 - a conversation, not a secret
        both, pair, now = Both((MemoryJournal(), table), [f"seed {seed}"]), Pair("east", "west", f"leased {seed}"), NOON
        memories = [Memory()]
        for number in range(40):
            now += draw.choice((0, 1, 80_000, 160_001))
            who, memory = draw.choice(("one", "other")), draw.choice(memories)
            given = draw.choice((None, {}, GIVEN, {"acl": str(number)}))
            match draw.choice(("lease", "lease", "release", "release", "settle")):
                case "lease":
                    ask = _leasing(pair, who, now)
                    both.ask(f"{who} leases at {now}", ask)
                case "release":
                    both.ask(f"{who} releases, having seen {memory}", _releasing(pair, who, memory, now, given))
                case _:
                    both.ask("settle", _settling(pair, memory, given))
            seen = both.ask("read", lambda journal, pair=pair: journal.read(pair))  # type: ignore[misc]
            assert isinstance(seen, Memory)
            memories = [*memories[-2:], seen]


def _leasing(pair: Pair, who: str, now: int) -> Callable[[Journal], object]:
    return lambda journal: journal.lease(pair, who, now, now + 160_000)


def _releasing(
    pair: Pair, who: str, memory: Memory, now: int, given: dict[str, str] | None
) -> Callable[[Journal], object]:
    return lambda journal: journal.release(pair, who, memory, now, given)


def _settling(pair: Pair, memory: Memory, given: dict[str, str] | None) -> Callable[[Journal], object]:
    after = replace(SETTLED, generation=memory.generation + 1, given=given or {})
    return lambda journal: journal.settle(pair, memory, after, NOTE)
