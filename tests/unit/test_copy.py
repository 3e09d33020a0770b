"""What a replica has, field by field."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.aspects.state import GRANTS, TAGS, digest, grant_state, tag_state
from replicator.core.deciding.copy import Copy, Written, compose, given_by, is_faithful, put_back
from replicator.core.versions.origin import (
    MARK,
    METADATA_LIMIT,
    TAG_LIMIT,
    TAG_VALUE_LIMIT,
    Born,
    Origin,
    Site,
    born_of,
    encode_mark,
    find_mark,
    metadata_digest,
)
from replicator.core.versions.version import Checksum, Encryption, Grant, Lock, StoredVersion

from tests.unit.values import EAST, KEY, NOON, WEST, head, proposed_copy, rule, target

MARK_TEXT = encode_mark(Origin(EAST, "v1", NOON), Site(WEST, KEY, NOON))
"""The mark without what the version had: as a tag, where there is no room for more."""
FULL = {"note": "x" * (METADATA_LIMIT - 4)}
READ = Grant("READ", 'uri="http://acs.amazonaws.com/groups/global/AllUsers"')


def born(
    tags: Mapping[str, str] | None = None,
    grants: tuple[Grant, ...] = (),
    *,
    hold: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> Born:
    """Return what a mark says of a version with these."""
    of_tags, of_grants = digest(tag_state(tags or {})[TAGS]), digest(grant_state(grants)[GRANTS])
    return Born(of_tags, of_grants, hold, metadata_digest(metadata or {}))


def test_everything_that_belongs_to_a_version_is_copied() -> None:
    version = head(
        etag='"tag"',
        size=42,
        headers={"ContentType": "image/png", "WebsiteRedirectLocation": "/there"},
        lock=Lock("COMPLIANCE", "2030-01-01T00:00:00+00:00", legal_hold=True),
        checksum=Checksum("SHA256", "abc=", full_object=True),
        encryption=Encryption("AES256"),
        storage_class="STANDARD_IA",
    )
    assert compose(proposed_copy(version, {"team": "blue"})) == Copy(
        bucket=EAST,
        key=KEY,
        version_id="v1",
        etag='"tag"',
        size=42,
        origin=Origin(EAST, "v1", NOON),
        metadata={MARK: f"{MARK_TEXT}/{born({'team': 'blue'}, hold=True)}"},
        headers=version.headers,
        tags={"team": "blue", "replication-status": "REPLICA"},
        storage_class="STANDARD_IA",
        encryption=Encryption("AES256"),
        lock=version.lock,
        checksum=version.checksum,
        source_tags={"team": "blue"},
    )


ENDED, RUNNING = "2020-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00"


LOCKS = {
    "a retention that has ended is left out": (Lock("GOVERNANCE", ENDED), Lock()),
    "a retention that has not ended is kept": (Lock("GOVERNANCE", RUNNING), Lock("GOVERNANCE", RUNNING)),
    "a legal hold is kept without a retention that has ended":
        (Lock("GOVERNANCE", ENDED, legal_hold=True), Lock(legal_hold=True)),
    "a legal hold is kept with a retention that has not ended":
        (Lock("GOVERNANCE", RUNNING, legal_hold=True), Lock("GOVERNANCE", RUNNING, legal_hold=True)),
}  # fmt: skip


@pytest.mark.parametrize(("lock", "kept"), LOCKS.values(), ids=LOCKS)
def test_a_replica_has_of_a_lock_what_still_protects(lock: Lock, kept: Lock) -> None:
    """S3 refuses a new version whose retention would have ended already."""
    locked = head(lock=lock)
    assert compose(proposed_copy(locked)).lock == kept
    back = put_back(StoredVersion(locked), Origin(EAST, "v1", NOON), target(lock=True), Site(WEST, KEY, NOON))
    assert back.lock == kept


def test_user_metadata_is_kept_beside_the_mark() -> None:
    assert compose(proposed_copy(head(metadata={"a": "b"}))).metadata == {
        "a": "b",
        MARK: f"{MARK_TEXT}/{born(metadata={'a': 'b'})}",
    }


def test_a_mark_that_was_written_elsewhere_is_replaced() -> None:
    copied = head(metadata={MARK: encode_mark(Origin("north", "v0", 1), Site(EAST, "elsewhere", NOON))})
    assert compose(proposed_copy(copied)).metadata == {MARK: f"{MARK_TEXT}/{born()}"}


def test_the_mark_is_a_tag_where_the_metadata_has_no_room() -> None:
    copy = compose(proposed_copy(head(metadata=FULL)))
    assert copy.metadata == copy.source_metadata == FULL
    assert copy.tags == {MARK: f"{MARK_TEXT}/{born(metadata=FULL)}", "replication-status": "REPLICA"}


def test_metadata_that_headers_cannot_carry_stays_as_it_is() -> None:
    copy = compose(proposed_copy(head(metadata={"a": "b"}, unseen_metadata=1)))
    assert copy.metadata == copy.source_metadata == {"a": "b"}


def test_the_mark_goes_before_the_status_tag_where_there_is_room_for_one() -> None:
    nine = {f"tag{number}": "x" for number in range(9)}
    mark = f"{MARK_TEXT}/{born(nine, metadata=FULL)}"
    assert compose(proposed_copy(head(metadata=FULL), nine)).tags == {**nine, MARK: mark}


def test_a_version_with_ten_tags_gets_no_status_tag() -> None:
    ten = {f"tag{number}": "x" for number in range(10)}
    assert compose(proposed_copy(head(), ten)).tags == ten


def test_a_rule_can_switch_the_status_tag_off() -> None:
    off = rule(replica_tag=False)
    assert compose(proposed_copy(head(), {"team": "blue"}, under=off)).tags == {"team": "blue"}
    assert compose(proposed_copy(head(), under=off)).tags == {}


def test_a_status_tag_that_a_user_wrote_says_replica_at_the_destination() -> None:
    ten = {f"tag{number}": "x" for number in range(9)} | {"replication-status": "NONE"}
    assert compose(proposed_copy(head(), ten)).tags == ten | {"replication-status": "REPLICA"}


def test_the_storage_class_of_the_rule_is_used_instead_of_the_versions() -> None:
    colder = rule(to={"storage_class": "DEEP_ARCHIVE"})
    assert compose(proposed_copy(head(storage_class="STANDARD_IA"), under=colder)).storage_class == "DEEP_ARCHIVE"


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
def test_a_kms_version_keeps_its_kind_of_encryption_with_the_key_of_the_rule(algorithm: str) -> None:
    ruled = rule(to={"kms_key": "arn:there"}, kms_selected=True)
    version = head(encryption=Encryption(algorithm, "arn:here", bucket_key=True))
    expected = Encryption(algorithm, "arn:there", bucket_key=True)
    assert compose(proposed_copy(version, under=ruled)).encryption == expected


def test_a_version_without_kms_keeps_its_encryption_whatever_key_the_rule_has() -> None:
    ruled = rule(to={"kms_key": "arn:there"}, kms_selected=True)
    assert compose(proposed_copy(head(encryption=Encryption("AES256")), under=ruled)).encryption == Encryption("AES256")


def test_an_acl_is_copied_to_a_bucket_with_acls() -> None:
    assert compose(proposed_copy(head(), acls=True), (READ,)).grants == (READ,)


def test_no_acl_is_copied_to_a_bucket_without_acls() -> None:
    assert compose(proposed_copy(head()), (READ,)).grants == ()


def test_owner_override_grants_the_bucket_owner_full_control_instead_of_the_acl() -> None:
    ruled = rule(to={"owner_override": True, "account": "222222222222"})
    copy = compose(proposed_copy(head(), under=ruled, acls=True), (READ,))
    assert (copy.canned_acl, copy.grants) == ("bucket-owner-full-control", ())


def test_owner_override_sends_no_acl_to_a_bucket_without_acls() -> None:
    assert compose(proposed_copy(head(), under=rule(to={"owner_override": True}))).canned_acl == ""


@given(
    metadata=st.dictionaries(st.text("abc", min_size=1, max_size=9), st.text("xyz", max_size=400), max_size=6),
    tags=st.dictionaries(st.text("abc", min_size=1, max_size=5), st.text("xyz", max_size=9), max_size=9),
    status_tag=st.booleans(),
)
def test_a_replica_can_always_be_recognised_and_has_everything_of_its_source(
    metadata: dict[str, str], tags: dict[str, str], status_tag: bool
) -> None:
    copy = compose(proposed_copy(head(metadata=metadata), tags, under=rule(replica_tag=status_tag)))
    assert find_mark(copy.metadata, copy.tags, Site(WEST, KEY, NOON)) == copy.origin
    assert len(copy.tags) <= TAG_LIMIT
    assert metadata.items() <= copy.metadata.items()
    assert tags.items() <= copy.tags.items()


def test_a_version_put_back_is_unchanged_and_marked_with_its_origin() -> None:
    origin = Origin(EAST, "v0", NOON)
    found = StoredVersion(head("w1", metadata={"a": "b"}, headers={"ContentType": "t"}), {"team": "blue"}, (READ,))
    copy = put_back(found, origin, target(acls=True), Site(WEST, KEY, NOON))
    had = born({"team": "blue"}, (READ,), metadata={"a": "b"})
    mark = encode_mark(origin, Site(WEST, KEY, NOON), had)
    assert (copy.bucket, copy.version_id, copy.origin) == (WEST, "w1", origin)
    assert copy.metadata == {"a": "b", MARK: mark}
    assert copy.headers == {"ContentType": "t"}
    assert copy.tags == {"team": "blue", "replication-status": "REPLICA"}
    assert copy.grants == (READ,)


def test_the_mark_of_a_version_put_back_says_what_it_had_when_it_was_put_back() -> None:
    """What it has looks changed only if a user changed it after that; the replica below still says what came before."""
    had = born({"team": "red"})
    mark = encode_mark(Origin(EAST, "v0", NOON), Site(WEST, KEY, NOON - 60), had)
    found = StoredVersion(head("w1", metadata={MARK: mark}), {"team": "blue"})
    copy = put_back(found, Origin(EAST, "v0", NOON), target(), Site(WEST, KEY, NOON))
    assert born_of(copy.metadata[MARK]) == born({"team": "blue"})


def test_a_mark_is_short_where_there_is_no_room_for_what_the_version_had() -> None:
    room = METADATA_LIMIT - len(MARK) - len(MARK_TEXT) - len("note")
    copy = compose(proposed_copy(head(metadata={"note": "x" * room})))
    assert copy.metadata[MARK] == MARK_TEXT
    assert born_of(copy.metadata[MARK]) is None


def test_a_mark_that_is_a_tag_is_short_where_names_are_very_long() -> None:
    proposed = proposed_copy(head(metadata=FULL))
    mark = compose(replace(proposed, origin=Origin("b" * 63, "v" * 140, NOON))).tags[MARK]
    assert born_of(mark) is None
    assert len(mark) <= TAG_VALUE_LIMIT < len(f"{mark}/{born()}")


def test_the_journal_remembers_what_a_copy_gave_only_if_the_mark_is_no_tag() -> None:
    had = born({"team": "blue"})
    assert given_by(compose(proposed_copy(head(), {"team": "blue"}))) == {TAGS: had.tags, GRANTS: had.grants}
    assert given_by(compose(proposed_copy(head(metadata=FULL)))) == {}


def test_a_version_put_back_carries_its_mark_as_a_tag_where_its_metadata_is_full() -> None:
    copy = put_back(StoredVersion(head("w1", metadata=FULL)), Origin(EAST, "v0", NOON), target(), Site(WEST, KEY, NOON))
    mark = encode_mark(Origin(EAST, "v0", NOON), Site(WEST, KEY, NOON), born(metadata=FULL))
    assert copy.metadata == copy.source_metadata == FULL
    assert copy.tags == {MARK: mark, "replication-status": "REPLICA"}


def test_a_version_put_back_with_ten_tags_gets_no_other() -> None:
    ten = {f"tag{number}": "x" for number in range(10)}
    copy = put_back(StoredVersion(head("w1"), ten), Origin(EAST, "v0", NOON), target(), Site(WEST, KEY, NOON))
    assert copy.tags == ten


def test_a_version_put_back_in_a_bucket_without_acls_has_none() -> None:
    found = StoredVersion(head("w1"), {}, (READ,))
    assert put_back(found, Origin(EAST, "v0", NOON), target(), Site(WEST, KEY, NOON)).grants == ()


STATUSES = ("PENDING", "COMPLETED", "FAILED")
UNTAGGED = rule(replica_tag=False)


def test_the_status_tag_of_a_source_version_is_not_copied() -> None:
    for status in STATUSES:
        tags = {"team": "blue", "replication-status": status}
        assert compose(proposed_copy(head(), tags, under=UNTAGGED)).tags == {"team": "blue"}, status


def test_a_users_tag_is_copied_though_its_name_or_its_value_is_that_of_a_status_tag() -> None:
    for tags in ({"replication-status": "NONE"}, *({"state": status} for status in STATUSES)):
        assert compose(proposed_copy(head(), tags, under=UNTAGGED)).tags == tags


FULL_A, FULL_B = (Checksum("CRC64NVME", value, full_object=True) for value in ("A", "B"))
PARTS_A, PARTS_B = (Checksum("CRC32", value, full_object=False) for value in ("A-2", "B"))

CHECKSUMS: dict[str, tuple[Checksum | None, Checksum | None, bool]] = {
    "the same checksum": (FULL_A, FULL_A, True),
    "another checksum of the same algorithm": (FULL_A, FULL_B, False),
    "another algorithm cannot be compared": (FULL_A, Checksum("CRC32", "B", full_object=True), True),
    "checksums over parts differ with the parts": (PARTS_A, PARTS_B, True),
    "a checksum over parts against one of the whole": (PARTS_A, Checksum("CRC32", "B", full_object=True), True),
    "a checksum of the whole against one over parts": (Checksum("CRC32", "B", full_object=True), PARTS_A, True),
    "the source has no checksum": (None, FULL_A, True),
    "the replica has no checksum": (FULL_A, None, True),
}


@pytest.mark.parametrize(("source", "written", "faithful"), CHECKSUMS.values(), ids=CHECKSUMS)
def test_a_replica_is_faithful_unless_comparable_checksums_differ(
    source: Checksum | None, written: Checksum | None, faithful: bool
) -> None:
    copy = replace(compose(proposed_copy(head())), checksum=source)
    assert is_faithful(copy, Written("w1", '"w1"', written)) is faithful
