"""What a replica looks like, field by field."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.deciding.copy import Copy, Written, compose, is_faithful, put_back
from replicator.core.versions.origin import MARK, METADATA_LIMIT, TAG_LIMIT, Origin, Site, encode_mark, find_mark
from replicator.core.versions.version import Checksum, Encryption, Grant, Lock, StoredVersion

from tests.unit.values import EAST, KEY, NOON, WEST, case, head, rule, target

MARK_TEXT = encode_mark(Origin(EAST, "v1", NOON), Site(WEST, KEY, NOON))
FULL = {"note": "x" * (METADATA_LIMIT - 4)}
READ = Grant("READ", 'uri="http://acs.amazonaws.com/groups/global/AllUsers"')


def test_everything_that_is_the_versions_own_goes_over() -> None:
    version = head(
        etag='"tag"',
        size=42,
        headers={"ContentType": "image/png", "WebsiteRedirectLocation": "/there"},
        lock=Lock("COMPLIANCE", "2030-01-01T00:00:00+00:00", legal_hold=True),
        checksum=Checksum("SHA256", "abc=", full_object=True),
        encryption=Encryption("AES256"),
        storage_class="STANDARD_IA",
    )
    assert compose(case(version, {"team": "blue"})) == Copy(
        bucket=EAST,
        key=KEY,
        version_id="v1",
        etag='"tag"',
        size=42,
        origin=Origin(EAST, "v1", NOON),
        metadata={MARK: MARK_TEXT},
        headers=version.headers,
        tags={"team": "blue", "replication-status": "REPLICA"},
        storage_class="STANDARD_IA",
        encryption=Encryption("AES256"),
        lock=version.lock,
        checksum=version.checksum,
        source_tags={"team": "blue"},
    )


ENDED, RUNNING = "2020-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00"


@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize(("until", "mode"), [(ENDED, ""), (RUNNING, "GOVERNANCE")])
def test_a_retention_that_has_ended_is_left_out_and_a_legal_hold_stays(until: str, mode: str, *, hold: bool) -> None:
    """S3 refuses a new version whose retention would not end in the future; the old one protects nothing any more."""
    locked = head(lock=Lock("GOVERNANCE", until, legal_hold=hold))
    kept = Lock(mode, until if mode else "", legal_hold=hold)
    assert compose(case(locked)).lock == kept
    back = put_back(StoredVersion(locked), Origin(EAST, "v1", NOON), target(lock=True), Site(WEST, KEY, NOON))
    assert back.lock == kept


def test_user_metadata_is_kept_beside_the_mark() -> None:
    assert compose(case(head(metadata={"a": "b"}))).metadata == {"a": "b", MARK: MARK_TEXT}


def test_a_mark_of_another_place_is_replaced() -> None:
    copied = head(metadata={MARK: encode_mark(Origin("north", "v0", 1), Site(EAST, "elsewhere", NOON))})
    assert compose(case(copied)).metadata == {MARK: MARK_TEXT}


def test_without_room_in_the_metadata_the_mark_is_a_tag_and_s3_copies_the_metadata() -> None:
    copy = compose(case(head(metadata=FULL)))
    assert copy.metadata == copy.source_metadata == FULL
    assert copy.tags == {MARK: MARK_TEXT, "replication-status": "REPLICA"}


def test_metadata_that_headers_cannot_carry_is_left_to_s3() -> None:
    copy = compose(case(head(metadata={"a": "b"}, unseen_metadata=1)))
    assert copy.metadata == copy.source_metadata == {"a": "b"}


def test_the_tenth_tag_is_the_marks_before_it_is_the_status_tags() -> None:
    nine = {f"tag{number}": "x" for number in range(9)}
    assert compose(case(head(metadata=FULL), nine)).tags == {**nine, MARK: MARK_TEXT}


def test_ten_tags_leave_no_room_for_the_status_tag_and_s3_copies_them() -> None:
    ten = {f"tag{number}": "x" for number in range(10)}
    assert compose(case(head(), ten)).tags == ten


def test_a_rule_may_switch_the_status_tag_off() -> None:
    off = rule(replica_tag=False)
    assert compose(case(head(), {"team": "blue"}, under=off)).tags == {"team": "blue"}
    assert compose(case(head(), under=off)).tags == {}


def test_a_status_tag_of_the_users_says_replica_at_the_destination() -> None:
    ten = {f"tag{number}": "x" for number in range(9)} | {"replication-status": "NONE"}
    assert compose(case(head(), ten)).tags == ten | {"replication-status": "REPLICA"}


def test_the_rules_storage_class_is_stronger_than_the_versions() -> None:
    colder = rule(to={"storage_class": "DEEP_ARCHIVE"})
    assert compose(case(head(storage_class="STANDARD_IA"), under=colder)).storage_class == "DEEP_ARCHIVE"


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
def test_a_kms_version_is_encrypted_in_the_same_way_with_the_rules_key(algorithm: str) -> None:
    ruled = rule(to={"kms_key": "arn:there"}, kms_selected=True)
    version = head(encryption=Encryption(algorithm, "arn:here", bucket_key=True))
    assert compose(case(version, under=ruled)).encryption == Encryption(algorithm, "arn:there", bucket_key=True)


def test_a_version_without_kms_keeps_its_encryption_whatever_key_the_rule_has() -> None:
    ruled = rule(to={"kms_key": "arn:there"}, kms_selected=True)
    assert compose(case(head(encryption=Encryption("AES256")), under=ruled)).encryption == Encryption("AES256")


def test_an_acl_goes_over_where_acls_are_enabled() -> None:
    assert compose(case(head(), acls=True), (READ,)).grants == (READ,)
    assert compose(case(head()), (READ,)).grants == ()


def test_owner_override_gives_the_bucket_owner_everything_instead_of_the_acl() -> None:
    ruled = rule(to={"owner_override": True, "account": "222222222222"})
    copy = compose(case(head(), under=ruled, acls=True), (READ,))
    assert (copy.canned_acl, copy.grants) == ("bucket-owner-full-control", ())


def test_owner_override_sends_no_acl_to_a_bucket_without_acls() -> None:
    assert compose(case(head(), under=rule(to={"owner_override": True}))).canned_acl == ""


@given(
    metadata=st.dictionaries(st.text("abc", min_size=1, max_size=9), st.text("xyz", max_size=400), max_size=6),
    tags=st.dictionaries(st.text("abc", min_size=1, max_size=5), st.text("xyz", max_size=9), max_size=9),
    status_tag=st.booleans(),
)
def test_a_replica_is_always_recognised_and_never_has_too_much(
    metadata: dict[str, str], tags: dict[str, str], status_tag: bool
) -> None:
    copy = compose(case(head(metadata=metadata), tags, under=rule(replica_tag=status_tag)))
    assert find_mark(copy.metadata, copy.tags, Site(WEST, KEY, NOON)) == copy.origin
    assert len(copy.tags) <= TAG_LIMIT
    assert metadata.items() <= copy.metadata.items()
    assert tags.items() <= copy.tags.items()


def test_a_version_put_back_is_what_it_was_and_says_what_it_stands_for() -> None:
    origin = Origin(EAST, "v0", NOON)
    found = StoredVersion(head("w1", metadata={"a": "b"}, headers={"ContentType": "t"}), {"team": "blue"}, (READ,))
    copy = put_back(found, origin, target(acls=True), Site(WEST, KEY, NOON))
    mark = encode_mark(origin, Site(WEST, KEY, NOON))
    assert (copy.bucket, copy.version_id, copy.origin) == (WEST, "w1", origin)
    assert copy.metadata == {"a": "b", MARK: mark}
    assert copy.headers == {"ContentType": "t"}
    assert copy.tags == {"team": "blue", "replication-status": "REPLICA"}
    assert copy.grants == (READ,)


def test_a_version_put_back_carries_its_mark_as_a_tag_where_its_metadata_is_full() -> None:
    copy = put_back(StoredVersion(head("w1", metadata=FULL)), Origin(EAST, "v0", NOON), target(), Site(WEST, KEY, NOON))
    mark = encode_mark(Origin(EAST, "v0", NOON), Site(WEST, KEY, NOON))
    assert copy.metadata == copy.source_metadata == FULL
    assert copy.tags == {MARK: mark, "replication-status": "REPLICA"}


def test_a_version_put_back_never_has_too_many_tags_and_no_acl_where_there_are_none() -> None:
    ten = {f"tag{number}": "x" for number in range(10)}
    copy = put_back(StoredVersion(head("w1"), ten, (READ,)), Origin(EAST, "v0", NOON), target(), Site(WEST, KEY, NOON))
    assert (copy.tags, copy.grants) == (ten, ())


@pytest.mark.parametrize("status", ["PENDING", "COMPLETED", "FAILED"])
def test_the_status_of_the_source_is_not_that_of_its_replica(status: str) -> None:
    """Where a stack tags its source versions with it; tags of other names, and other values, are the user's."""
    plain = rule(replica_tag=False)
    assert compose(case(head(), {"team": "blue", "replication-status": status}, under=plain)).tags == {"team": "blue"}
    assert compose(case(head(), {"state": status}, under=plain)).tags == {"state": status}
    other = {"replication-status": "NONE"}
    assert compose(case(head(), other, under=plain)).tags == other


FULL_A, FULL_B = (Checksum("CRC64NVME", value, full_object=True) for value in ("A", "B"))
PARTS_A, PARTS_B = (Checksum("CRC32", value, full_object=False) for value in ("A-2", "B"))

FAITHFUL: list[tuple[int, str, Checksum | None, Checksum | None, bool]] = [
    (1, "the same checksum", FULL_A, FULL_A, True),
    (2, "another checksum of the same kind", FULL_A, FULL_B, False),
    (3, "another algorithm cannot be compared", FULL_A, Checksum("CRC32", "B", full_object=True), True),
    (4, "checksums over parts depend on the parts", PARTS_A, PARTS_B, True),
    (5, "a checksum over parts against one of the whole", PARTS_A, Checksum("CRC32", "B", full_object=True), True),
    (7, "a checksum of the whole against one over parts", Checksum("CRC32", "B", full_object=True), PARTS_A, True),
    (6, "the source has none", None, FULL_A, True),
    (7, "the replica tells none", FULL_A, None, True),
]


@pytest.mark.parametrize("row", FAITHFUL, ids=[f"{row[0]} {row[1]}" for row in FAITHFUL])
def test_checksums_are_compared_where_they_can_be(
    row: tuple[int, str, Checksum | None, Checksum | None, bool],
) -> None:
    *_, source, written, same = row
    copy = replace(compose(case(head())), checksum=source)
    assert is_faithful(copy, Written("w1", '"w1"', written)) is same
