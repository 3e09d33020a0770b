"""S3's answers to HEAD, LIST, GetObjectTagging and GetObjectAcl become values of the core."""

from collections.abc import Callable
from typing import Any

import pytest
from replicator.aws.errors import Side
from replicator.aws.objects import BucketObjects
from replicator.core.deciding.facts import ABSENT, Top
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.versions.version import (
    Checksum,
    Encryption,
    Entry,
    EntryKind,
    Grant,
    Head,
    Lock,
    MarkerHead,
    Restore,
)

from tests.unit.wire import Answer, Wire, error

ALWAYS = {
    "etag": '"v1"',
    "content-length": "7",
    "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT",
    "x-amz-version-id": "v1",
}


def source(wire: Wire, account: str = "") -> BucketObjects:
    return BucketObjects("east", Side.SOURCE, wire.clients().reader("us-east-1"), account)


def head(**headers: str) -> Head:
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    found = source(Wire([Answer(headers=ALWAYS | extra)])).head("k", "v1")
    assert isinstance(found, Head)
    return found


@pytest.mark.parametrize("status", ["REPLICA", "PENDING", "COMPLETED", "FAILED"])
def test_only_a_replica_by_s3_itself_is_one_and_the_status_of_its_sources_says_nothing(status: str) -> None:
    assert head(x_amz_replication_status=status).made_by_s3 == (status == "REPLICA")


def test_a_version_is_read_with_one_head_that_asks_for_its_checksum() -> None:
    wire = Wire([Answer(headers=ALWAYS)])
    assert source(wire, "111111111111").head("a b", "v1") == Head("v1", '"v1"', 7, 1_700_000_000, tag_count=None)
    [request] = wire.requests
    assert (request.method, request.url) == ("HEAD", "https://east.s3.amazonaws.com/a%20b?versionId=v1")
    assert wire.headers() == {"x-amz-checksum-mode": "ENABLED", "x-amz-expected-bucket-owner": "111111111111"}


HEADS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "user metadata": ({"x_amz_meta_colour": "blue"}, {"metadata": {"colour": "blue"}}),
    "system headers":
        ({"content_type": "t", "cache_control": "c", "content_disposition": "d", "content_encoding": "gzip",
          "content_language": "de", "x_amz_website_redirect_location": "/r"},
         {"headers": {"ContentType": "t", "CacheControl": "c", "ContentDisposition": "d", "ContentEncoding": "gzip",
                      "ContentLanguage": "de", "WebsiteRedirectLocation": "/r"}}),
    "Expires as it was written":
        ({"expires": "Tue, 01 Jan 2030 00:00:00 GMT"}, {"headers": {"Expires": "Tue, 01 Jan 2030 00:00:00 GMT"}}),
    "Expires that is no date": ({"expires": "soon"}, {"headers": {"Expires": "soon"}}),
    "Expires without a text": ({"expires": ""}, {}),
    "Expires that is blank": ({"expires": " "}, {}),
    "metadata that headers cannot carry": ({"x_amz_missing_meta": "2"}, {"unseen_metadata": 2}),
    "the number of tags": ({"x_amz_tagging_count": "3"}, {"tag_count": 3}),
    "the storage class": ({"x_amz_storage_class": "STANDARD_IA"}, {"storage_class": "STANDARD_IA"}),
    "an archive tier": ({"x_amz_archive_status": "ARCHIVE_ACCESS"}, {"archive_status": "ARCHIVE_ACCESS"}),
    "a restore under way": ({"x_amz_restore": 'ongoing-request="true"'}, {"restore": Restore.ONGOING}),
    "a restore that is done":
        ({"x_amz_restore": 'ongoing-request="false", expiry-date="x"'}, {"restore": Restore.DONE}),
    "SSE-KMS":
        ({"x_amz_server_side_encryption": "aws:kms", "x_amz_server_side_encryption_aws_kms_key_id": "arn:k",
          "x_amz_server_side_encryption_bucket_key_enabled": "true"},
         {"encryption": Encryption("aws:kms", "arn:k", bucket_key=True)}),
    "a lock":
        ({"x_amz_object_lock_mode": "COMPLIANCE", "x_amz_object_lock_legal_hold": "ON",
          "x_amz_object_lock_retain_until_date": "2030-01-01T00:00:00Z"},
         {"lock": Lock("COMPLIANCE", "2030-01-01T00:00:00+00:00", legal_hold=True)}),
    "no legal hold": ({"x_amz_object_lock_legal_hold": "OFF"}, {"lock": Lock()}),
    "an event hold":
        ({"x_amz_object_lock_mode": "GOVERNANCE", "x_amz_object_lock_event_hold": "ON",
          "x_amz_object_lock_event_hold_duration_days": "7"},
         {"lock": Lock("GOVERNANCE", event_hold=True, event_hold_days=7)}),
    "a checksum of one piece":
        ({"x_amz_checksum_sha256": "abc="}, {"checksum": Checksum("SHA256", "abc=", full_object=True)}),
    "a checksum over parts":
        ({"x_amz_checksum_crc32": "abc=-2", "x_amz_checksum_type": "COMPOSITE"},
         {"checksum": Checksum("CRC32", "abc=-2", full_object=False)}),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "fields"), HEADS.values(), ids=HEADS)
def test_each_header_of_a_version_becomes_a_field(headers: dict[str, str], fields: dict[str, Any]) -> None:
    found = head(**headers)
    assert {name: getattr(found, name) for name in fields} == fields


def test_a_version_of_a_bucket_without_versioning_is_the_null_version() -> None:
    plain = {name: value for name, value in ALWAYS.items() if name != "x-amz-version-id"}
    found = source(Wire([Answer(headers=plain)])).head("k", "null")
    assert isinstance(found, Head)
    assert found.version_id == "null"


@pytest.mark.parametrize("status", [404, 405], ids=["a version that is gone", "the id of a delete marker"])
def test_what_is_no_version_is_absent(status: int) -> None:
    assert source(Wire([Answer(status=status)])).head("k", "v1") is ABSENT


def test_a_head_that_is_denied_with_its_checksum_is_repeated_without() -> None:
    """S3 requires kms:Decrypt for the checksum of a KMS object; a stack whose rules skip those does not have it."""
    kms = {"x-amz-server-side-encryption": "aws:kms"}
    wire = Wire([Answer(status=403), Answer(headers=ALWAYS | kms)])
    found = source(wire).head("k", "v1")
    assert isinstance(found, Head)
    assert found.encryption.is_kms
    assert "x-amz-checksum-mode" not in wire.headers()
    assert len(wire.requests) == 2


def test_a_head_that_is_denied_with_and_without_its_checksum_is_permanent_trouble() -> None:
    with pytest.raises(Permanent) as trouble:
        source(Wire([Answer(status=403)])).head("k", "v1")
    assert trouble.value.reason is Reason.SRC_HEAD_DENIED


KMS = {"x-amz-server-side-encryption": "aws:kms"}
BAD_HEAD = [Answer(status=400), Answer()]
"""After a bad HEAD botocore asks for the bucket's Region with another one."""


OF_KEYS = {
    "denied": ([Answer(status=403), Answer(headers=ALWAYS | KMS)], (True, False)),
    "disabled": ([*BAD_HEAD, Answer(headers=ALWAYS | KMS), error(400, "KMS.DisabledException")], (False, True)),
    "gone": ([*BAD_HEAD, Answer(headers=ALWAYS | KMS), error(400, "KMS.NotFoundException")], (False, True)),
    "bad and denied": ([*BAD_HEAD, Answer(headers=ALWAYS | KMS), error(403, "AccessDenied")], (True, False)),
    "archived": ([*BAD_HEAD, Answer(headers=ALWAYS | KMS | {"x-amz-storage-class": "GLACIER"})], (False, True)),
}
"""Answers to HEAD, to HEAD without the checksum, and to GET -> whether the key is denied, or invalid."""


@pytest.mark.parametrize(("answers", "named"), OF_KEYS.values(), ids=OF_KEYS)
def test_a_head_that_fails_only_with_the_checksum_shows_what_is_wrong_with_the_key(
    answers: list[Answer], named: tuple[bool, bool]
) -> None:
    wire = Wire([*answers])
    found = source(wire).head("k", "v1")
    assert isinstance(found, Head)
    assert (found.key_denied, found.key_invalid) == named
    assert len(wire.requests) == len(answers)


def test_a_head_that_is_bad_with_old_credentials_says_nothing_about_the_key() -> None:
    wire = Wire([*BAD_HEAD, Answer(headers=ALWAYS | KMS), error(400, "ExpiredToken")])
    with pytest.raises(Temporary):
        source(wire).head("k", "v1")


def test_nothing_is_said_about_the_key_of_a_version_that_has_none() -> None:
    found = source(Wire([Answer(status=400), Answer(headers=ALWAYS)])).head("k", "v1")
    assert isinstance(found, Head)
    assert not found.key_invalid


BEHIND = {
    "SSE-C": (error(400, "InvalidRequest"), Permanent, Reason.SRC_NOT_ELIGIBLE),
    "a version id that is none": (error(400, "InvalidArgument"), Permanent, Reason.SRC_VERSION_NOT_FOUND),
    "a disabled key": (error(400, "KMS.DisabledException"), Permanent, Reason.SRC_KMS_STATE),
    "old credentials": (error(400, "ExpiredToken"), Temporary, Reason.UNKNOWN),
}


@pytest.mark.parametrize(("answer", "kind", "reason"), BEHIND.values(), ids=BEHIND)
def test_what_is_behind_a_bad_head_is_named_by_a_get_of_one_byte(
    answer: Answer, kind: type[Permanent | Temporary], reason: Reason
) -> None:
    asking: list[tuple[int, Callable[[BucketObjects], object]]] = [
        (2, lambda objects: objects.head("k", "v1")),
        (1, lambda objects: objects.exists("k", "v1")),
        (1, lambda objects: objects.top("k")),
    ]
    for heads, ask in asking:
        wire = Wire([*BAD_HEAD * heads, answer])
        with pytest.raises(kind) as trouble:
            ask(source(wire))
        assert trouble.value.reason is reason
        assert [request.method for request in wire.requests][-2:] == ["HEAD", "GET"]
        assert wire.headers()["range"] == "bytes=0-0"


TOPS: dict[str, tuple[Answer, Top]] = {
    "an object": (Answer(headers=ALWAYS), Head("v1", '"v1"', 7, 1_700_000_000, tag_count=None)),
    "nothing": (Answer(status=404), ABSENT),
    "a delete marker":
        (Answer(status=404, headers={"x-amz-delete-marker": "true", "x-amz-version-id": "d"}), MarkerHead("d")),
    "a null delete marker": (Answer(status=404, headers={"x-amz-delete-marker": "true"}), MarkerHead("null")),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "top"), TOPS.values(), ids=TOPS)
def test_a_head_without_a_version_id_finds_what_is_current(answer: Answer, top: Top) -> None:
    wire = Wire([answer])
    assert source(wire).top("k") == top
    assert wire.requests[0].url.endswith("/k")


def listing(
    *entries: tuple[str, str, str], then: tuple[str, str] | None = None, truncated: bool = False, ages: str = ""
) -> Answer:
    """Write a page of a listing; an entry is (element, key, version id). ages: how old each one is, in seconds."""
    old = [int(age) for age in ages] or [0] * len(entries)
    items = "".join(
        f"<{element}><Key>{key}</Key><VersionId>{version}</VersionId><IsLatest>false</IsLatest>"
        f"<LastModified>2023-11-14T22:13:{20 - age}.000Z</LastModified>"
        + (f"<ETag>&quot;{version}&quot;</ETag><Size>7</Size>" if element == "Version" else "")
        + f"</{element}>"
        for (element, key, version), age in zip(entries, old, strict=True)
    )
    more = f"<IsTruncated>{'true' if then or truncated else 'false'}</IsTruncated>"
    if then:
        more += f"<NextKeyMarker>{then[0]}</NextKeyMarker><NextVersionIdMarker>{then[1]}</NextVersionIdMarker>"
    text = f'<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{more}{items}</ListVersionsResult>'
    return Answer(text)


def names(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.version_id for entry in entries]


VERSION, MARKER = "Version", "DeleteMarker"


def test_a_history_is_s3s_listing_in_reverse_with_versions_and_delete_markers() -> None:
    page = listing((VERSION, "k", "4"), (MARKER, "k", "3"), (VERSION, "k", "2"), (MARKER, "k", "1"))
    history = source(Wire([page])).history("k")
    assert names(history) == ["1", "2", "3", "4"]
    assert history[0] == Entry("1", EntryKind.MARKER, 1_700_000_000)
    assert history[1] == Entry("2", EntryKind.VERSION, 1_700_000_000, '"2"', 7)


def test_a_history_leaves_out_keys_that_only_begin_with_its_key() -> None:
    page = listing((VERSION, "k", "null"), (MARKER, "k/x", "null"), (VERSION, "k2", "9"))
    history = source(Wire([page])).history("k")
    assert history == (Entry("null", EntryKind.VERSION, 1_700_000_000, '"null"', 7),)


def test_a_long_history_is_read_page_by_page() -> None:
    first = listing((VERSION, "k", "4"), (MARKER, "k", "3"), then=("k", "3"))
    wire = Wire([first, listing((VERSION, "k", "2"), (VERSION, "k", "1"))])
    assert names(source(wire).history("k")) == ["1", "2", "3", "4"]
    assert "key-marker=k" in wire.requests[1].url
    assert "version-id-marker=3" in wire.requests[1].url


@pytest.mark.parametrize("then", [("k/x", "9"), ("k", "4"), ("", ""), None])
def test_the_next_page_begins_after_the_last_entry_whatever_is_named_as_the_marker(
    then: tuple[str, str] | None,
) -> None:
    first = listing((VERSION, "k", "4"), (MARKER, "k", "3"), then=then, truncated=True)
    wire = Wire([first, listing((VERSION, "k", "2"))])
    assert names(source(wire).history("k")) == ["2", "3", "4"]
    assert "key-marker=k&" in wire.requests[1].url
    assert "version-id-marker=3" in wire.requests[1].url


def test_a_listing_that_does_not_get_on_is_trouble_with_a_name() -> None:
    for page in (listing((VERSION, "k", "1"), truncated=True), listing(truncated=True)):
        wire = Wire([page])
        with pytest.raises(Temporary) as trouble:
            source(wire).history("k")
        assert trouble.value.reason is Reason.UNREADABLE
        assert len(wire.requests) <= 2


VERSIONS_FIRST = listing(
    (VERSION, "k", "v2"), (VERSION, "k", "v1"), (VERSION, "k2", "v1"), (MARKER, "k", "m1"), ages="1332"
)
MARKERS_FIRST = listing(
    (MARKER, "k", "m1"), (MARKER, "k2", "v1"), (VERSION, "k", "v2"), (VERSION, "k", "v1"), ages="2513"
)


@pytest.mark.parametrize("page", [VERSIONS_FIRST, MARKERS_FIRST])
def test_a_history_is_in_the_order_of_time_where_versions_and_markers_are_not_interleaved(page: Answer) -> None:
    """Other servers list all versions, then all delete markers, of all keys."""
    assert names(source(Wire([page])).history("k")) == ["v1", "m1", "v2"]


def test_reading_ends_with_the_page_on_which_other_keys_begin() -> None:
    wire = Wire([listing((VERSION, "k", "1"), (VERSION, "k2", "9"), then=("k2", "9"))])
    assert names(source(wire).history("k")) == ["1"]
    assert len(wire.requests) == 1


def test_a_history_of_a_key_that_must_be_encoded_is_found() -> None:
    wire = Wire([listing((VERSION, "a%20b%2Bc/%C3%BC", "1"))])
    answer = wire.answers[0]
    assert isinstance(answer, Answer)
    encoded = Answer(answer.body.replace("</IsTruncated>", "</IsTruncated><EncodingType>url</EncodingType>"))
    assert names(source(Wire([encoded])).history("a b+c/ü")) == ["1"]


def test_a_key_without_entries_has_an_empty_history() -> None:
    assert source(Wire([listing()])).history("k") == ()


@pytest.mark.parametrize(("status", "there"), [(200, True), (405, True), (404, False)])
def test_a_head_says_whether_a_version_or_delete_marker_exists(status: int, there: bool) -> None:
    assert source(Wire([Answer(status=status, headers=ALWAYS)])).exists("k", "v1") is there


def test_tags_are_read_without_those_of_aws_itself() -> None:
    body = (
        "<Tagging><TagSet><Tag><Key>team</Key><Value>blue</Value></Tag>"
        "<Tag><Key>aws:cloudformation:stack</Key><Value>x</Value></Tag></TagSet></Tagging>"
    )
    assert source(Wire([Answer(body)])).tags("k", "v1") == {"team": "blue"}


def acl(*grants: str) -> Answer:
    owner = "<Owner><ID>me</ID></Owner>"
    return Answer(
        f"<AccessControlPolicy>{owner}<AccessControlList>{''.join(grants)}</AccessControlList></AccessControlPolicy>"
    )


def grant(permission: str, kind: str, grantee: str) -> str:
    namespace = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    return (
        f'<Grant><Grantee {namespace} xsi:type="{kind}">{grantee}</Grantee>'
        f"<Permission>{permission}</Permission></Grant>"
    )


MINE = grant("FULL_CONTROL", "CanonicalUser", "<ID>me</ID>")
EVERYBODY = grant("READ", "Group", "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>")


def test_the_default_acl_grants_nothing_that_must_be_copied() -> None:
    assert source(Wire([acl(MINE)])).grants("k", "v1") == ()


def test_any_other_acl_is_read_with_all_its_grants() -> None:
    assert source(Wire([acl(MINE, EVERYBODY)])).grants("k", "v1") == (
        Grant("FULL_CONTROL", 'id="me"'),
        Grant("READ", 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'),
    )


WRITE = grant("WRITE", "Group", "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>")


def test_a_grant_that_means_nothing_on_an_object_is_left_out_unless_it_is_part_of_a_canned_acl() -> None:
    """S3 keeps WRITE in an object's ACL, but no header of a copy can set it; it must not fail the copy."""
    assert source(Wire([acl(MINE, WRITE)])).grants("k", "v1") == ()
    canned = source(Wire([acl(MINE, EVERYBODY, WRITE)])).grants("k", "v1")
    assert {grant.permission for grant in canned} == {"FULL_CONTROL", "READ", "WRITE"}


def test_a_read_that_is_throttled_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    wire = Wire([error(503, "SlowDown"), error(503, "SlowDown"), listing((VERSION, "k", "1"))])
    assert names(source(wire).history("k")) == ["1"]


def test_a_read_that_is_throttled_three_times_is_temporary_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    wire = Wire([error(503, "SlowDown")])
    with pytest.raises(Temporary) as trouble:
        source(wire).history("k")
    assert trouble.value.reason is Reason.THROTTLED
    assert len(wire.requests) == 3
