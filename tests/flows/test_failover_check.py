"""The check of both directions on fakes: what is read where, and that nothing that fails takes the answer with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from replicator.core.outcomes.outcome import Status
from replicator.core.outcomes.recovery import Buckets, Figures, Missing
from replicator.core.outcomes.threshold import Pending
from s3replicator.failed_calls import CallFailed, FailedCall
from s3replicator.failover import lost_keys
from s3replicator.failover.answer import Verdict
from s3replicator.failover.check import Direction, Reach, Unreachable, check
from s3replicator.failover.json_output import answer_document
from s3replicator.failover.lost_keys import LostKey, LostKeys, read_lost_keys

NOW = 1_700_000_000
THERE, BACK = ("east", "west"), ("west", "east")
SAFE = Figures(NOW - 20, NOW - 140)
LOSES = Figures(NOW - 20, NOW - 900, Missing(2, 20, 1, (NOW - 899) * 1000))
LOST = LostKeys((LostKey(Status.PENDING, "k", "v1", NOW * 1000, 5, "Throttled"),))
OUT_OF_REACH = CallFailed(FailedCall("cloudwatch:GetMetricData", "ConnectTimeoutError"))


@dataclass
class World:
    """Regions with figures. down: those that do not answer."""

    figures: dict[tuple[str, Buckets], Figures] = field(default_factory=dict)
    keys: LostKeys = field(default_factory=LostKeys)
    down: set[str] = field(default_factory=set)
    region: str | None = "us-west-2"

    def check(self, **options: bool) -> list[Direction]:
        reach = Reach(lambda _: self.region, self._figures, self._keys, "us-east-1", lambda: NOW)
        return check("east", "west", reach, **options)

    def _figures(self, region: str, buckets: Buckets) -> Figures | None:
        if region in self.down:
            raise OUT_OF_REACH
        return self.figures.get((region, buckets))

    def _keys(self, _buckets: Buckets) -> LostKeys:
        if "us-east-1" in self.down:
            raise Unreachable("ConnectTimeoutError")
        return self.keys


def test_figures_are_read_in_the_region_of_the_destination() -> None:
    [found] = World({("us-west-2", THERE): SAFE, ("us-east-1", THERE): LOSES}).check()
    assert (found.answer.verdict, found.region, found.keys) == (Verdict.SAFE, "us-west-2", LostKeys())


def test_the_reverse_direction_is_read_in_the_region_of_the_source() -> None:
    there, back = World({("us-west-2", THERE): LOSES, ("us-east-1", BACK): SAFE}, LOST).check()
    assert (there.answer.verdict, there.keys) == (Verdict.LOSES, LOST)
    assert (back.source, back.destination, back.answer.verdict, back.keys) == ("west", "east", Verdict.SAFE, None)


def test_a_source_region_that_is_down_costs_the_keys_and_the_reverse_direction_only() -> None:
    world = World({("us-west-2", THERE): LOSES}, LOST, down={"us-east-1"})
    [found] = world.check()
    assert (found.answer.verdict, found.figures, found.keys) == (Verdict.LOSES, LOSES, None)
    assert len(found.notes) == 2


@pytest.mark.parametrize("region", [None, "us-west-2"], ids=["unknown", "down"])
def test_without_the_destination_region_the_answer_is_unknown_and_the_keys_are_still_read(region: str | None) -> None:
    [found] = World(keys=LOST, down={"us-west-2"}, region=region).check()
    assert (found.answer.verdict, found.figures, found.keys) == (Verdict.UNKNOWN, None, LOST)


def test_the_document_has_the_asked_direction_on_top_and_both_in_its_list() -> None:
    document = answer_document(World({("us-west-2", THERE): LOSES, ("us-east-1", BACK): SAFE}, LOST).check())
    assert (document["answer"], document["source"], document["destination"]) == ("LOSES", "east", "west")
    assert document["recovery_point"] == "2023-11-14T21:58:20+00:00"
    assert document["pending"]["oldest"] == "2023-11-14T21:58:21+00:00"
    assert [each["key"] for each in document["keys"]] == ["k"]
    assert [each["answer"] for each in document["directions"]] == ["LOSES", "SAFE"]
    assert document.keys() - {"directions"} == document["directions"][0].keys()


class Index:
    """Entries in two partitions per status, as often as wanted."""

    def __init__(self, *entries: Pending, failed: tuple[Pending, ...] = ()) -> None:
        self.entries = {Status.PENDING: entries, Status.FAILED: failed}

    def shards(self, status: Status) -> list[Callable[[], Iterator[Pending]]]:
        entries = self.entries[status]
        return [lambda: iter(entries[::2]), lambda: iter(entries[1::2])]


def entry(key: str, first_seen: int, destination: str = "west") -> Pending:
    return Pending("east", key, f"v-{key}", destination, first_seen=first_seen)


def test_keys_are_those_of_the_pair_oldest_first() -> None:
    index = Index(entry("b", 2), entry("other", 3, "north"), entry("d", 4), failed=(entry("a", 1), entry("c", 3)))
    found = read_lost_keys(index, THERE)
    assert [(each.key, each.status) for each in found.keys] == [
        ("a", Status.FAILED), ("b", Status.PENDING), ("c", Status.FAILED), ("d", Status.PENDING),
    ]  # fmt: skip
    assert found.complete


def test_parked_keys_come_in_any_order_and_are_listed_by_age() -> None:
    found = read_lost_keys(Index(entry("b", 2)), THERE, iter((entry("c", 3), entry("a", 1), entry("x", 1, "north"))))
    assert [each.key for each in found.keys] == ["a", "b", "c"]


def test_more_parked_keys_than_are_read_are_not_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_keys, "MOST_READ", 4)
    parked = (entry(str(number), number) for number in range(1, 9))
    assert not read_lost_keys(Index(), THERE, parked).complete


def test_keys_whose_destinations_are_not_known_yet_are_listed() -> None:
    assert [each.key for each in read_lost_keys(Index(entry("a", 1, "")), THERE).keys] == ["a"]


def test_no_more_keys_are_read_than_anybody_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_keys, "MOST_KEYS", 3)
    entries = tuple(entry(str(number), number) for number in range(1, 9))
    assert len(read_lost_keys(Index(*entries[:3]), THERE).keys) == 3
    assert read_lost_keys(Index(*entries[:3]), THERE).complete
    more = read_lost_keys(Index(*entries), THERE)
    assert ([each.key for each in more.keys], more.complete) == (["1", "2", "3"], False)


def test_a_journal_full_of_other_buckets_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_keys, "MOST_READ", 4)
    others = tuple(entry(str(number), number, "north") for number in range(1, 9))
    assert read_lost_keys(Index(*others), THERE) == LostKeys((), complete=False)
