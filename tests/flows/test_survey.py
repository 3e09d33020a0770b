"""A survey proves equal what listings prove, hands everything else on, and asks for no page more than it must."""

import random
import threading
import tracemalloc
from dataclasses import replace

import pytest
from replicator.core.outcomes.outcome import Reason, Side, Temporary
from replicator.core.verifying.listed import Listed, Span
from replicator.flows.verify.survey import Batch

from tests.fakes.listings import GeneratedListing, MemoryListing, numbered
from tests.fakes.points import Call, Mishap, Scripted
from tests.fakes.rules import rule
from tests.fakes.s3 import Bucket
from tests.fakes.stored import Content
from tests.flows.stage import EAST, NORTH, WEST, Stage
from tests.flows.surveying import Collector, survey

EVERYTHING = [rule(WEST, delete_markers=True)]


def listing(on: Stage) -> MemoryListing:
    return MemoryListing(on.s3, Scripted(lambda _: None), page=3)


def pages(of: MemoryListing, bucket: str) -> list[tuple[str, str]]:
    assert isinstance(of.points, Scripted)
    return [(call.key, call.detail) for call in of.points.calls if call.bucket == bucket]


def test_what_was_replicated_is_proved_equal_and_what_was_not_is_in_doubt() -> None:
    on = Stage(EVERYTHING)
    for key in ("a", "b", "c"):
        on.put(key)
    on.deliver_all()
    on.put("b", body=b"again")
    on.put("d")
    found = survey(on.rule_sets.of(EAST), listing(on))
    assert found.in_doubt == {"b": [WEST], "d": [WEST]}
    assert found.equal == {WEST: 2}
    assert found.keys == 4


def test_a_doubt_has_the_entries_of_each_side_newest_first() -> None:
    on = Stage(EVERYTHING)
    on.put("a", body=b"1")
    on.deliver_all()
    on.put("a", body=b"2")
    (doubt,) = survey(on.rule_sets.of(EAST), listing(on)).doubts
    source = [stored.version_id for stored in on.s3.buckets[EAST].history("a")]
    assert [each.entry.version_id for each in doubt.source] == source[::-1]
    assert [each.entry.size for each in doubt.destinations[WEST]] == [1]


def test_many_destinations_are_compared_in_one_pass_over_the_source() -> None:
    on = Stage([rule(WEST), rule(NORTH, rule_id="north")])
    on.put("a")
    on.deliver_all()
    on.s3.buckets[NORTH].histories.clear()
    lists = listing(on)
    found = survey(on.rule_sets.of(EAST), lists)
    assert found.in_doubt == {"a": [NORTH]}
    assert found.equal == {WEST: 1}
    assert [len(pages(lists, bucket)) for bucket in (EAST, WEST, NORTH)] == [2, 2, 1]


def test_rules_with_prefixes_are_listed_under_those_prefixes_only() -> None:
    on = Stage([rule(WEST, prefix="logs/"), rule(NORTH, rule_id="north", prefix="logs/app/")])
    for key in ("data/a", "logs/a", "logs/app/a"):
        on.put(key)
    lists = listing(on)
    assert survey(on.rule_sets.of(EAST), lists).in_doubt == {"logs/a": [WEST], "logs/app/a": [NORTH, WEST]}
    assert {prefix for prefix, _ in pages(lists, EAST)} == {"logs/"}
    assert {prefix for prefix, _ in pages(lists, NORTH)} == {"logs/app/"}


def test_a_survey_of_a_prefix_or_of_some_destinations_lists_no_more_than_that() -> None:
    on = Stage([rule(WEST, prefix="logs/"), rule(NORTH, rule_id="north")])
    for key in ("data/a", "logs/2025", "logs/2026"):
        on.put(key)
    lists = listing(on)
    found = survey(on.rule_sets.of(EAST), lists, destinations=frozenset({WEST}), prefix="logs/2026")
    assert found.in_doubt == {"logs/2026": [WEST]}
    assert {prefix for prefix, _ in pages(lists, EAST)} == {"logs/2026"}
    assert pages(lists, NORTH) == []


def test_keys_that_no_enabled_rule_names_are_no_doubt() -> None:
    on = Stage([replace(rule(WEST), enabled=False)])
    on.put("a")
    found = survey(on.rule_sets.of(EAST), listing(on))
    assert (found.in_doubt, found.keys) == ({}, 0)


def test_what_only_a_destination_has_is_counted_and_no_doubt() -> None:
    on = Stage(EVERYTHING)
    on.s3.put(WEST, "theirs", Content())
    found = survey(on.rule_sets.of(EAST), listing(on))
    assert (found.in_doubt, found.only_there) == ({}, {WEST: 1})


def test_a_survey_of_everything_takes_each_key_for_a_doubt() -> None:
    on = Stage(EVERYTHING)
    on.put("a")
    on.deliver_all()
    assert survey(on.rule_sets.of(EAST), listing(on), everything=True).in_doubt == {"a": [WEST]}


def test_a_listing_out_of_order_is_trouble_of_its_side() -> None:
    mixed = GeneratedListing(10, lambda bucket, number: numbered(9 - number if bucket == WEST else number))
    with pytest.raises(Temporary, match="order") as raised:
        survey(Stage(EVERYTHING).rule_sets.of(EAST), mixed)
    assert (raised.value.reason, raised.value.side) == (Reason.UNREADABLE, Side.DESTINATION)


def test_a_page_that_cannot_be_read_ends_the_survey_with_what_is_left() -> None:
    on = Stage(EVERYTHING)
    for number in range(9):
        on.put(f"k{number}")

    def third_page(call: Call) -> Mishap | None:
        return Mishap(trouble) if len(pages(lists, EAST)) == 3 and call.bucket == EAST else None

    trouble = Temporary(Reason.THROTTLED, "", Side.SOURCE)
    lists = MemoryListing(on.s3, Scripted(third_page), page=3)
    with pytest.raises(Temporary):
        survey(on.rule_sets.of(EAST), lists)


def test_what_is_left_is_all_that_another_run_surveys() -> None:
    on = Stage(EVERYTHING)
    many = GeneratedListing(2000, lambda bucket, number: numbered(number) if bucket == EAST else None)
    first, batches = Collector(), []

    def interrupted(batch: Batch) -> None:
        batches.append(batch)
        if len(batches) == 3:
            raise KeyboardInterrupt

    first.act = interrupted
    with pytest.raises(KeyboardInterrupt):
        survey(on.rule_sets.of(EAST), many, first)
    rest = survey(on.rule_sets.of(EAST), many, spans=first.left)
    assert [span.after for span in first.left] == [numbered(79).key]
    assert (first.keys, rest.keys) == (80, 1920)


@pytest.mark.parametrize("seed", range(5))
def test_many_workers_survey_each_key_once(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    on = Stage(EVERYTHING)
    keys = {"".join(chance.choices("ab/~\u00e9", k=chance.randint(1, 8))) for _ in range(3000)}
    for key in keys:
        on.s3.put(EAST, key, Content())
    found = survey(on.rule_sets.of(EAST), MemoryListing(on.s3, page=100), workers=4)
    assert sorted(doubt.key for doubt in found.doubts) == sorted(keys)
    assert found.left == [] or found.keys == len(keys)


def test_a_worker_without_work_takes_part_of_what_another_one_has_left() -> None:
    """Two workers must be in `examine` at the same time, or the barrier would never open."""
    together = threading.Barrier(2, timeout=30)
    many = GeneratedListing(5000, lambda bucket, number: numbered(number) if bucket == EAST else None)
    meetings = iter([True, True])

    def meet(_: Batch) -> None:
        if next(meetings, False):
            together.wait()

    found = survey(Stage(EVERYTHING).rule_sets.of(EAST), many, Collector(meet), workers=2)
    assert found.keys == 5000


def test_memory_stays_flat_however_many_keys_there_are() -> None:
    """Of two hundred pages one is read while the one before is still held, so it may be twice as much as with one."""
    peaks = {count: peak_of(count) for count in (1_000, 200_000)}
    assert peaks[200_000] < peaks[1_000] * 2, peaks


def peak_of(count: int) -> int:
    """Survey two buckets of this many keys, one version each, and return the most bytes that it held."""
    equal = GeneratedListing(count, lambda _bucket, number: numbered(number))
    rules = Stage(EVERYTHING).rule_sets.of(EAST)
    collector = Collector()
    tracemalloc.start()
    try:
        survey(rules, equal, collector)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (collector.equal, equal.requests) == ({WEST: count}, 2 * count // 1000)
    return peak


def test_two_way_what_came_from_the_other_side_is_proved_equal() -> None:
    on = Stage(EVERYTHING)
    on.s3.add(Bucket("other"))
    same: list[Listed] = [numbered(1)]
    both = GeneratedListing(2, lambda _bucket, number: same[0] if number == 1 else None)
    assert survey(on.rule_sets.of(EAST), both, spans=[Span()]).equal == {WEST: 1}
