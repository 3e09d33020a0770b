"""Whether a version is copied: every refusal has a version that meets it and one that does not."""

from typing import Any

import pytest
from replicator.core.deciding.eligibility import Limits, Refusal, judge
from replicator.core.outcomes.outcome import Reason, Status
from replicator.core.parts.parts import LARGEST_OBJECT
from replicator.core.rules.matching import Candidate
from replicator.core.rules.rule import Rule
from replicator.core.versions.origin import METADATA_LIMIT
from replicator.core.versions.version import Encryption, Head, Lock, Restore

from tests.unit.values import head, proposed_copy, rule

KMS, DSSE = Encryption("aws:kms", "arn:key"), Encryption("aws:kms:dsse", "arn:key")
LOCKED, HELD = Lock("GOVERNANCE", "2030-01-01T00:00:00+00:00"), Lock(legal_hold=True)
FULL = {"note": "x" * (METADATA_LIMIT - 4)}
NINE, TEN = ({f"tag{number}": "x" for number in range(count)} for count in (9, 10))
GIB = 1024**3

SKIPPED, PENDING, FAILED = Status.SKIPPED, Status.PENDING, Status.FAILED

VERDICTS: dict[str, tuple[Head, dict[str, Any], tuple[Status, Reason] | None]] = {
    "a plain version is copied": (head(), {}, None),
    "SSE-KMS is not selected by default": (head(encryption=KMS), {}, (SKIPPED, Reason.KMS_NOT_SELECTED)),
    "DSSE-KMS is not selected by default": (head(encryption=DSSE), {}, (SKIPPED, Reason.KMS_NOT_SELECTED)),
    "a rule may select SSE-KMS": (head(encryption=KMS), {"under": rule(kms_selected=True)}, None),
    "a KMS key in no state to be used fails with the source's reason":
        (head(encryption=KMS, key_invalid=True), {"under": rule(kms_selected=True)}, (FAILED, Reason.SRC_KMS_STATE)),
    "a KMS key that may not be used fails with the source's reason":
        (head(encryption=KMS, key_denied=True), {"under": rule(kms_selected=True)}, (FAILED, Reason.SRC_KMS_DENIED)),
    "a KMS key makes no difference to a version that no rule selects":
        (head(encryption=KMS, key_invalid=True), {}, (SKIPPED, Reason.KMS_NOT_SELECTED)),
    "SSE-S3 needs no selection": (head(encryption=Encryption("AES256")), {}, None),
    "a version in GLACIER cannot be read": (head(storage_class="GLACIER"), {}, (SKIPPED, Reason.SRC_NOT_ELIGIBLE)),
    "a version in DEEP_ARCHIVE cannot be read":
        (head(storage_class="DEEP_ARCHIVE"), {}, (SKIPPED, Reason.SRC_NOT_ELIGIBLE)),
    "a version in GLACIER_IR can be read": (head(storage_class="GLACIER_IR"), {}, None),
    "an archive tier of Intelligent-Tiering cannot be read":
        (head(storage_class="INTELLIGENT_TIERING", archive_status="ARCHIVE_ACCESS"), {},
         (SKIPPED, Reason.SRC_NOT_ELIGIBLE)),
    "Intelligent-Tiering can be read otherwise": (head(storage_class="INTELLIGENT_TIERING"), {}, None),
    "an archived version that is being restored waits":
        (head(storage_class="GLACIER", restore=Restore.ONGOING), {}, (PENDING, Reason.RESTORING)),
    "a restored version is copied": (head(storage_class="GLACIER", restore=Restore.DONE), {}, None),
    "a destination without versioning could lose an object":
        (head(), {"versions": False}, (FAILED, Reason.DST_UNVERSIONED)),
    "a retention needs a destination with Object Lock": (head(lock=LOCKED), {}, (FAILED, Reason.DST_NO_OBJECT_LOCK)),
    "a legal hold needs a destination with Object Lock": (head(lock=HELD), {}, (FAILED, Reason.DST_NO_OBJECT_LOCK)),
    "a retention is copied to a destination with Object Lock": (head(lock=LOCKED), {"lock": True}, None),
    "the largest object that S3 takes is copied": (head(size=LARGEST_OBJECT), {}, None),
    "a larger one is refused": (head(size=LARGEST_OBJECT + 1), {}, (FAILED, Reason.TOO_LARGE)),
    "the largest size is a setting": (head(size=9), {"limits": Limits(4, 8)}, (FAILED, Reason.TOO_LARGE)),
    "with full metadata the tags carry the mark": (head(metadata=FULL), {"tags": NINE}, None),
    "with ten tags the metadata carries the mark": (head(), {"tags": TEN}, None),
    "with both full there is no room for the mark": (head(metadata=FULL), {"tags": TEN}, (FAILED, Reason.NO_ROOM)),
    "with metadata that headers cannot carry and ten tags there is no room either":
        (head(unseen_metadata=1), {"tags": TEN}, (FAILED, Reason.NO_ROOM)),
    "with metadata that headers cannot carry the tags carry the mark": (head(unseen_metadata=1), {"tags": NINE}, None),
    "a version that is not selected is skipped, whatever would fail it":
        (head(encryption=KMS, size=6 * GIB), {"versions": False}, (SKIPPED, Reason.KMS_NOT_SELECTED)),
    "a version that is being restored waits, even if the destination would fail it now":
        (head(storage_class="GLACIER", restore=Restore.ONGOING), {"versions": False}, (PENDING, Reason.RESTORING)),
    "a copy in parts would lose metadata that no HEAD shows":
        (head(unseen_metadata=1, size=5 * GIB + 1), {}, (FAILED, Reason.METADATA_UNREADABLE)),
    "a copy in one request keeps metadata that no HEAD shows": (head(unseen_metadata=1, size=5 * GIB), {}, None),
}  # fmt: skip


@pytest.mark.parametrize(("version", "given", "refused"), VERDICTS.values(), ids=VERDICTS)
def test_a_version_is_copied_or_refused_with_its_reason(
    version: Head, given: dict[str, Any], refused: tuple[Status, Reason] | None
) -> None:
    proposed = proposed_copy(version, **given)
    verdict = judge(Candidate("west", (proposed.rule,)), proposed.tags, lambda _: proposed)
    if refused is None:
        assert verdict is proposed.rule
    else:
        assert isinstance(verdict, Refusal)
        assert (verdict.status, verdict.reason) == refused
        assert verdict.detail, "a reason code alone explains too little"


def test_a_version_that_no_filter_selects_is_skipped_before_its_head_is_read() -> None:
    gold = rule(tags=frozenset({("class", "gold")}))

    def never(_: Rule) -> Any:
        raise AssertionError

    verdict = judge(Candidate("west", (gold,)), {"class": "tin"}, never)
    assert isinstance(verdict, Refusal)
    assert (verdict.status, verdict.reason) == (Status.SKIPPED, Reason.NO_RULE)


def test_a_version_is_judged_by_the_rule_of_highest_priority_that_selects_it() -> None:
    gold, other = rule(id="gold", tags=frozenset({("class", "gold")}), kms_selected=True), rule(id="other")
    version = head(encryption=KMS)

    def verdict(tags: dict[str, str]) -> object:
        return judge(Candidate("west", (gold, other)), tags, lambda chosen: proposed_copy(version, tags, under=chosen))

    assert verdict({"class": "gold"}) is gold
    assert isinstance(verdict({}), Refusal)
