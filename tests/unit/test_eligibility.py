"""Return whether a version is copied: every refusal has a version that must meet it and one that must not."""

from typing import Any

import pytest
from replicator.core.deciding.eligibility import Limits, Refusal, judge
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.parts.parts import LARGEST_OBJECT
from replicator.core.rules.matching import Candidate
from replicator.core.rules.rule import Rule
from replicator.core.versions.origin import METADATA_LIMIT
from replicator.core.versions.version import Encryption, Head, Lock, Restore

from tests.unit.values import case, head, rule

KMS, DSSE = Encryption("aws:kms", "arn:key"), Encryption("aws:kms:dsse", "arn:key")
LOCKED, HELD = Lock("GOVERNANCE", "2030-01-01T00:00:00+00:00"), Lock(legal_hold=True)
FULL = {"note": "x" * (METADATA_LIMIT - 4)}
NINE, TEN = ({f"tag{number}": "x" for number in range(count)} for count in (9, 10))
GIB = 1024**3

SKIPPED, PENDING, FAILED = Status.SKIPPED, Status.PENDING, Status.FAILED

Row = tuple[int, str, Head, dict[str, Any], tuple[Status, Reason] | None]

ROWS: list[Row] = [
    (1, "a plain version is copied", head(), {}, None),
    (2, "SSE-KMS is not selected by default", head(encryption=KMS), {}, (SKIPPED, Reason.KMS_NOT_SELECTED)),
    (3, "nor is DSSE-KMS", head(encryption=DSSE), {}, (SKIPPED, Reason.KMS_NOT_SELECTED)),
    (4, "a rule may select SSE-KMS", head(encryption=KMS), {"under": rule(kms_selected=True)}, None),
    (5, "SSE-S3 needs no selection", head(encryption=Encryption("AES256")), {}, None),
    (6, "an archived version cannot be read", head(storage_class="GLACIER"), {}, (SKIPPED, Reason.SRC_NOT_ELIGIBLE)),
    (7, "nor in the deep archive", head(storage_class="DEEP_ARCHIVE"), {}, (SKIPPED, Reason.SRC_NOT_ELIGIBLE)),
    (8, "instant retrieval is no archive", head(storage_class="GLACIER_IR"), {}, None),
    (9, "a tier of Intelligent-Tiering may be one",
     head(storage_class="INTELLIGENT_TIERING", archive_status="ARCHIVE_ACCESS"), {},
     (SKIPPED, Reason.SRC_NOT_ELIGIBLE)),
    (10, "Intelligent-Tiering itself is none", head(storage_class="INTELLIGENT_TIERING"), {}, None),
    (11, "an archived version that is being restored waits",
     head(storage_class="GLACIER", restore=Restore.ONGOING), {}, (PENDING, Reason.RESTORING)),
    (12, "a restored one is copied", head(storage_class="GLACIER", restore=Restore.DONE), {}, None),
    (13, "an unversioned destination could lose an object", head(), {"versions": False},
     (FAILED, Reason.DST_UNVERSIONED)),
    (14, "a lock needs a destination that can lock", head(lock=LOCKED), {}, (FAILED, Reason.DST_NO_OBJECT_LOCK)),
    (15, "so does a legal hold", head(lock=HELD), {}, (FAILED, Reason.DST_NO_OBJECT_LOCK)),
    (16, "there, a lock is copied", head(lock=LOCKED), {"lock": True}, None),
    (17, "S3's largest object is not too large", head(size=LARGEST_OBJECT), {}, None),
    (18, "one byte more is", head(size=LARGEST_OBJECT + 1), {}, (FAILED, Reason.TOO_LARGE)),
    (19, "the limit is a setting", head(size=9), {"limits": Limits(4, 8)}, (FAILED, Reason.TOO_LARGE)),
    (20, "full metadata leaves the tags as carrier", head(metadata=FULL), {"tags": NINE}, None),
    (21, "ten tags leave the metadata as carrier", head(), {"tags": TEN}, None),
    (22, "with both full there is no carrier", head(metadata=FULL), {"tags": TEN}, (FAILED, Reason.NO_ROOM)),
    (23, "metadata that headers cannot carry cannot be sent again", head(unseen_metadata=1), {"tags": TEN},
     (FAILED, Reason.NO_ROOM)),
    (24, "it is copied with the mark in the tags", head(unseen_metadata=1), {"tags": NINE}, None),
    (25, "design comes before failure: not selected, whatever else is wrong", head(encryption=KMS, size=6 * GIB),
     {"versions": False}, (SKIPPED, Reason.KMS_NOT_SELECTED)),
    (26, "a restore is waited for even if the destination would fail it now",
     head(storage_class="GLACIER", restore=Restore.ONGOING), {"versions": False}, (PENDING, Reason.RESTORING)),
    (27, "parts lose metadata that no HEAD shows", head(unseen_metadata=1, size=5 * GIB + 1), {},
     (FAILED, Reason.METADATA_UNREADABLE)),
    (28, "one request keeps it", head(unseen_metadata=1, size=5 * GIB), {}, None),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_a_version_is_copied_or_refused_with_its_reason(row: Row) -> None:
    *_, version, around, refused = row
    looked_at = case(version, **around)
    verdict = judge(Candidate("west", (looked_at.rule,)), looked_at.tags, lambda _: looked_at)
    if refused is None:
        assert verdict is looked_at.rule
    else:
        assert isinstance(verdict, Refusal)
        assert (verdict.status, verdict.reason) == refused
        assert verdict.detail, "people want to know more than a code"


def test_a_version_that_no_filter_wants_is_skipped_without_a_look_at_it() -> None:
    gold = rule(tags=frozenset({("class", "gold")}))

    def looked_at(_: Rule) -> Any:
        raise AssertionError

    verdict = judge(Candidate("west", (gold,)), {"class": "tin"}, looked_at)
    assert isinstance(verdict, Refusal)
    assert (verdict.status, verdict.reason) == (Status.SKIPPED, Reason.NO_RULE)


def test_the_rule_of_highest_priority_that_wants_it_judges_it() -> None:
    gold, rest = rule(id="gold", tags=frozenset({("class", "gold")}), kms_selected=True), rule(id="rest")
    version = head(encryption=KMS)

    def verdict(tags: dict[str, str]) -> object:
        return judge(Candidate("west", (gold, rest)), tags, lambda chosen: case(version, tags, under=chosen))

    assert verdict({"class": "gold"}) is gold
    assert isinstance(verdict({}), Refusal)
