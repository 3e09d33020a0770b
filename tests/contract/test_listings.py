"""Whole buckets, listed page by page: what a survey merges."""

from collections.abc import Callable

import pytest
from replicator.aws.bucket_listing import BucketListing
from replicator.aws.clients import Clients
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Side
from replicator.core.verifying.listed import Listed, Span
from replicator.flows.verify.ports import Listing

from tests.contract.stages import InMemory, OnEmulator, Stage
from tests.emulator.plain import Plain
from tests.fakes.listings import MemoryListing
from tests.fakes.stored import Content

Lister = Callable[[Stage], Listing]


@pytest.fixture
def lister(request: pytest.FixtureRequest) -> Lister:
    def make(stage: Stage) -> Listing:
        if isinstance(stage, InMemory):
            return MemoryListing(stage.s3)
        assert isinstance(stage, OnEmulator)
        server: tuple[Plain, Clients] = request.getfixturevalue("server")
        return BucketListing(lambda _target, _side: server[1].lister("us-east-1"))

    return make


def listed(lister: Lister, stage: Stage, span: Span | None = None) -> list[Listed]:
    pages = lister(stage).pages(Target(stage.source), Side.SOURCE, span or Span())
    return [each for page in pages for each in page]


def test_a_listing_has_all_keys_in_order_and_their_entries_newest_first(stage: Stage, lister: Lister) -> None:
    keys = ["a b+c", "\u00fcml\u00e4ut/\u6771\u4eac", "%41", "Z", "z", "z/", "tab\there", "\U0001f680", "\uffee"]
    for key in keys:
        stage.put(stage.source, key)
        stage.delete(stage.source, key)
        stage.put(stage.source, key, Content(b"again"))
    found = listed(lister, stage)
    assert [each.key for each in found] == [key for key in sorted(keys, key=str.encode) for _ in range(3)]
    for key in keys:
        mine = [each for each in found if each.key == key]
        assert tuple(each.entry for each in reversed(mine)) == stage.reads(stage.source).history(key)
        assert [each.is_latest for each in mine] == [True, False, False]


def test_a_listing_names_storage_classes(stage: Stage, lister: Lister) -> None:
    stage.put(stage.source, "a", Content(storage_class="STANDARD_IA"))
    stage.put(stage.source, "b")
    stage.delete(stage.source, "c")
    assert [each.storage_class for each in listed(lister, stage)] == ["STANDARD_IA", "STANDARD", ""]


def test_an_empty_bucket_has_no_entries(stage: Stage, lister: Lister) -> None:
    assert listed(lister, stage) == []
    assert lister(stage).first_key(Target(stage.source), Side.SOURCE, Span()) is None


def test_a_span_is_listed_from_after_its_start_up_to_its_end(stage: Stage, lister: Lister) -> None:
    for key in ("a", "b/1", "b/2", "b/3", "b/4", "c"):
        stage.put(stage.source, key)
        stage.put(stage.source, key)
    span = Span("b/1", "b/3", "b/")
    assert [each.key for each in listed(lister, stage, span)] == ["b/2", "b/2", "b/3", "b/3"]
    assert lister(stage).first_key(Target(stage.source), Side.SOURCE, span) == "b/2"
    assert lister(stage).first_key(Target(stage.source), Side.SOURCE, Span("b/4", "c", "b/")) is None


def test_a_listing_of_several_pages_lacks_and_repeats_nothing(stage: Stage, lister: Lister) -> None:
    """The page ends between two entries of the same key."""
    written = [stage.put(stage.source, "many", Content(bytes([n % 256]))) for n in range(1005)]
    assert [each.entry.version_id for each in listed(lister, stage)] == written[::-1]
