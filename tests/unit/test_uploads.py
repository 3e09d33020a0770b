"""Multipart uploads: the requests, their errors, and memory that depends on the number of parts only."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from replicator.aws.uploads import BucketUploads
from replicator.core.deciding.copy import Guard
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.parts.parts import (
    LARGEST_OBJECT,
    LARGEST_PART,
    MIB,
    MOST_PARTS,
    SMALLEST_PART,
    PartRange,
    cut_evenly,
)
from replicator.core.parts.uploads import CopySource, Part, SourceGone, Upload, UploadGone, UploadSpoiled, messages
from replicator.core.versions.version import Checksum
from replicator.flows.large.parts import all_parts, all_there

from tests.unit.copies import plain
from tests.unit.values import created
from tests.unit.wire import Answer, Wire, error

SOURCE = CopySource("east", "a b/ü", "v1", '"etag-2"')
COPIED = Answer('<CopyPartResult><ETag>"p"</ETag><LastModified>2026-01-01T00:00:00Z</LastModified></CopyPartResult>')
COMPLETED = Answer('<CompleteMultipartUploadResult><ETag>"e-2"</ETag></CompleteMultipartUploadResult>')


def uploads(wire: Wire, account: str = "") -> BucketUploads:
    return BucketUploads("west", wire.clients(), "us-west-2", account)


def test_a_part_is_copied_from_its_version_and_its_range_only() -> None:
    wire = Wire([COPIED])
    part = uploads(wire, "123456789012").copy_part("u1", SOURCE, PartRange(3, 100, 199))
    assert (part.number, part.size, part.etag) == (3, 100, '"p"')
    path, _, query = wire.requests[0].url.partition("?")
    assert path.endswith("/a%20b/%C3%BC")
    assert set(query.split("&")) == {"partNumber=3", "uploadId=u1"}
    headers = wire.headers()
    assert headers["x-amz-copy-source"] == "east/a%20b/%C3%BC?versionId=v1"
    assert headers["x-amz-copy-source-if-match"] == '"etag-2"'
    assert headers["x-amz-copy-source-range"] == "bytes=100-199"
    assert headers["x-amz-expected-bucket-owner"] == "123456789012"


def test_the_only_part_is_copied_without_a_range() -> None:
    """The API reference: a range only of a source above 5 MB."""
    wire = Wire([COPIED])
    assert uploads(wire).copy_part("u1", SOURCE, PartRange(1, 0, 99), whole=True).size == 100
    assert "x-amz-copy-source-range" not in wire.headers()


def test_a_part_that_the_bucket_does_not_know_has_no_bytes() -> None:
    assert uploads(Wire([Answer(status=416)])).part_size(SOURCE, 2) == 0


PART_ERRORS = {
    "NoSuchUpload": (404, UploadGone),
    "NoSuchKey": (404, SourceGone),
    "NoSuchVersion": (404, SourceGone),
    "PreconditionFailed": (412, SourceGone),
    "SlowDown": (503, Temporary),
}


@pytest.mark.parametrize(("code", "status", "kind"), [(code, *found) for code, found in PART_ERRORS.items()])
def test_an_error_in_copying_a_part_has_its_own_exception(
    code: str, status: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)  # botocore's, between its attempts
    with pytest.raises(kind):
        uploads(Wire([error(status, code)])).copy_part("u1", SOURCE, PartRange(1, 0, 9))


def test_an_error_in_the_body_of_a_200_is_an_error_of_the_part() -> None:
    wire = Wire([Answer("<Error><Code>InternalError</Code><Message>m</Message></Error>"), COPIED])
    assert uploads(wire).copy_part("u1", SOURCE, PartRange(1, 0, 9)).etag == '"p"'
    assert len(wire.requests) == 2, "copying a part twice does no harm"


def test_a_completion_is_bound_to_size_guard_and_parts() -> None:
    wire = Wire([COMPLETED])
    parts = [Part(1, SMALLEST_PART, '"p1"'), Part(2, 5, '"p2"')]
    uploads(wire).complete(replace(plain(), size=SMALLEST_PART + 5), "u1", parts, Guard('"below"'))
    headers, body = wire.headers(), str(wire.requests[0].body, "utf-8")  # type: ignore[arg-type]
    assert headers["x-amz-mp-object-size"] == str(SMALLEST_PART + 5)
    assert headers["if-match"] == '"below"'
    assert [body.count(text) for text in ("<Part>", "<PartNumber>2</PartNumber>")] == [2, 1]


def test_a_completion_names_the_sources_checksum_only_if_all_parts_have_one_of_its_kind() -> None:
    """Of an upload that was begun without an algorithm, S3 refuses a completion that names a type."""
    source, other = Checksum("CRC32", "source==", full_object=True), Checksum("CRC32C", "c==", full_object=True)
    sent = []
    for checksums in ((source, source), (source, None), (None, None), (other, other)):
        wire = Wire([COMPLETED])
        parts = [Part(number, 5, f'"p{number}"', checksum) for number, checksum in enumerate(checksums, 1)]
        uploads(wire).complete(replace(plain(), size=10, checksum=source), "u1", parts, Guard())
        sent.append([wire.headers().get(name) for name in ("x-amz-checksum-crc32", "x-amz-checksum-type")])
    assert sent == [["source==", "FULL_OBJECT"], [None, None], [None, None], [None, None]]


def test_a_completion_is_never_repeated_since_its_answer_may_be_lost() -> None:
    wire = Wire([error(500, "InternalError"), COMPLETED])
    with pytest.raises(Temporary):
        uploads(wire).complete(replace(plain(), size=5), "u1", [Part(1, 5, '"p1"')], Guard())
    assert len(wire.requests) == 1


def test_a_409_at_completion_spoils_the_upload() -> None:
    with pytest.raises(UploadSpoiled):
        uploads(Wire([error(409, "ConditionalRequestConflict")])).complete(
            replace(plain(), size=5), "u1", [Part(1, 5, '"p1"')], Guard()
        )


def pages(size: int, count: int) -> Iterator[Answer]:
    """Return ListParts' answers for all parts of an even cut."""
    listed = [
        f"<Part><PartNumber>{part.number}</PartNumber><Size>{part.size}</Size><ETag>{part.number:032x}</ETag>"
        f"<LastModified>2026-01-01T00:00:00Z</LastModified><ChecksumCRC64NVME>{part.number:012d}</ChecksumCRC64NVME></Part>"
        for part in cut_evenly(size, count).ranges()
    ]
    for first in range(0, len(listed), 1000):
        yield Answer(f"<ListPartsResult>{''.join(listed[first : first + 1000])}</ListPartsResult>")


def test_one_request_finds_that_parts_are_missing_until_the_last_page_is_full() -> None:
    *_, last = pages(LARGEST_OBJECT, MOST_PARTS)
    wire = Wire([Answer(last.body.replace("<PartNumber>9999</PartNumber>", "<PartNumber>19999</PartNumber>"))])
    assert not all_there(uploads(wire), "k", "u1", MOST_PARTS)
    assert len(wire.requests) == 1


def peak_memory(size: int, count: int) -> int:
    """Cut, send, list and complete; return the peak of allocated bytes, without S3's answers."""
    wire = Wire([*pages(size, count), COMPLETED])
    cut, change = cut_evenly(size, count), created("v1", "0A")
    bucket = uploads(wire)
    tracemalloc.start()
    try:
        upload = Upload("u1", SOURCE, "", cut, 16, change.item_id, "rule", 0, 0)
        bodies = [message.encode() for message in messages(change, "west", upload, upload.missing(()))]
        parts = all_parts(bucket, "k", "u1", cut.count)
        assert (len(bodies), len(parts), upload.missing(parts)) == (-(-cut.count // 16), cut.count, [])
        bucket.complete(replace(plain(), size=size), "u1", parts, Guard())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_size_of_the_object() -> None:
    """It is the same for parts of 5 MiB and of 5 GiB, and small for the 10,000 parts that S3 allows."""
    count = MOST_PARTS // 20
    small, large = (peak_memory(count * part, count) for part in (SMALLEST_PART, LARGEST_PART))
    assert large < 1.1 * small
    assert large * MOST_PARTS / count < 128 * MIB


def under_way(*names: tuple[str, str], markers: str = "", truncated: bool = True) -> Answer:
    """Write a page of ListMultipartUploads; a name is (key, upload id)."""
    items = "".join(
        f"<Upload><Key>{key}</Key><UploadId>{name}</UploadId><Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>"
        for key, name in names
    )
    more = f"<IsTruncated>{str(truncated).lower()}</IsTruncated>"
    return Answer(f"<ListMultipartUploadsResult>{more}{markers}{items}</ListMultipartUploadsResult>")


@pytest.mark.parametrize("markers", ["", "<NextKeyMarker>z</NextKeyMarker><NextUploadIdMarker>9</NextUploadIdMarker>"])
def test_the_next_page_of_uploads_begins_after_the_last_one_whatever_is_named_as_the_marker(markers: str) -> None:
    wire = Wire([under_way(("a%20b", "1"), markers=markers), under_way(("a%20b", "2"), truncated=False)])
    assert [upload.id for upload in uploads(wire).under_way("a b")] == ["1", "2"]
    assert "key-marker=a%20b&" in wire.requests[1].url + "&"
    assert "upload-id-marker=1" in wire.requests[1].url


def test_a_page_of_uploads_that_does_not_lead_on_is_trouble_with_a_name() -> None:
    for page in (under_way(), under_way(("k", "1"))):
        wire = Wire([page])
        with pytest.raises(Temporary) as trouble:
            uploads(wire).under_way("k")
        assert trouble.value.reason is Reason.UNREADABLE
        assert len(wire.requests) <= 2


STARTED = Answer("<InitiateMultipartUploadResult><UploadId>u2</UploadId></InitiateMultipartUploadResult>")
NO_PARTS = Answer("<ListPartsResult></ListPartsResult>")
DENIED = error(403, "AccessDenied")


@pytest.mark.parametrize(
    ("trial", "reason"),
    [
        ([STARTED, NO_PARTS, Answer(status=204)], Reason.DST_KMS_DENIED),
        ([STARTED, DENIED, Answer(status=204)], Reason.DST_MULTIPART_UPLOAD_DENIED),
        ([DENIED], Reason.DST_MULTIPART_UPLOAD_DENIED),
    ],
    ids=["of an upload without a key", "of any upload", "no upload is started"],
)
def test_a_denied_listing_of_parts_is_denied_by_the_key_if_an_upload_without_one_can_be_listed(
    trial: list[Answer | Exception], reason: Reason
) -> None:
    """User guide, "Multipart upload and permissions": ListParts needs kms:Decrypt if the upload has a KMS key."""
    wire = Wire([DENIED, *trial])
    with pytest.raises(Permanent) as denied:
        uploads(wire).parts("k", "u1", 0)
    assert denied.value.reason is reason
    assert len(wire.requests) == 1 + len(trial), "what was started is aborted"
    assert "AES256" in str(wire.requests[1].headers["x-amz-server-side-encryption"])
