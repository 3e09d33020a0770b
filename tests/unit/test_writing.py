"""Requests that write a replica, header by header."""

from dataclasses import replace

import pytest
from replicator.aws.objects import Shared
from replicator.aws.writing import QUICK_BYTES, BucketReplicas
from replicator.core.deciding.copy import Copy, Guard, Written
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Conflict, Permanent, Reason, Temporary
from replicator.core.versions.origin import METADATA_LIMIT
from replicator.core.versions.version import Checksum, Encryption, Grant, Lock

from tests.unit.copies import plain
from tests.unit.wire import Answer, Wire, error

COPIED = Answer(
    "<CopyObjectResult><ETag>&quot;w1&quot;</ETag><LastModified>2023-11-14T22:13:20.000Z</LastModified>"
    "<ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType></CopyObjectResult>",
    headers={"x-amz-version-id": "w1-id"},
)
FULL = {"note": "x" * (METADATA_LIMIT - 4)}


def destination(wire: Wire, account: str = "") -> BucketReplicas:
    clients = wire.clients()
    return BucketReplicas(Target("west", account), clients.reader("us-west-2"), clients.writer("us-west-2"))


def sent(copy: Copy, guard: Guard | None = None, account: str = "") -> dict[str, str]:
    wire = Wire([COPIED])
    destination(wire, account).copy(copy, guard or Guard())
    assert len(wire.requests) == 1
    return wire.headers()


def test_a_plain_copy_is_one_request_with_these_headers_only() -> None:
    wire = Wire([COPIED])
    assert destination(wire).copy(plain(), Guard()) == Written(
        "w1-id", '"w1"', Checksum("CRC64NVME", "AAAAAAAAAAA=", full_object=True)
    )
    [request] = wire.requests
    assert (request.method, request.url) == ("PUT", "https://west.s3.us-west-2.amazonaws.com/photos/1.jpg")
    assert wire.headers() == {
        "x-amz-copy-source": "east/photos/1.jpg?versionId=v1",
        "x-amz-copy-source-if-match": '"v1"',
        "if-none-match": "*",
        "x-amz-metadata-directive": "REPLACE",
        "x-amz-meta-replication-origin": "east/v1/1700000000/1700000000/1c63ab70/2e38e77b2e38e77b04f53cda1",
        "x-amz-storage-class": "STANDARD",
    }


def test_a_copy_onto_an_object_is_guarded_by_its_etag() -> None:
    headers = sent(plain(), Guard('"w0"'))
    assert headers["if-match"] == '"w0"'
    assert "if-none-match" not in headers


def test_keys_are_encoded_in_the_path_and_in_the_copy_source() -> None:
    key = "a b+c/ü%2B?x=1&y#z"
    wire = Wire([COPIED])
    destination(wire).copy(plain(key), Guard())
    assert wire.requests[0].url.endswith("/a%20b%2Bc/%C3%BC%252B%3Fx%3D1%26y%23z")
    assert wire.headers()["x-amz-copy-source"] == "east/a%20b%2Bc/%C3%BC%252B%3Fx%3D1%26y%23z?versionId=v1"


SYSTEM = {
    "CacheControl": "no-store",
    "ContentDisposition": "attachment",
    "ContentEncoding": "gzip",
    "ContentLanguage": "de",
    "ContentType": "text/csv",
    "Expires": "Tue, 1 Jan 2030",
    "WebsiteRedirectLocation": "/there",
}
SSE = "x-amz-server-side-encryption"
LOCK = "x-amz-object-lock"
READER = Grant("READ", 'id="reader"')
PUBLIC = Grant("READ", 'uri="http://acs.amazonaws.com/groups/global/AllUsers"')
WRITER = Grant("WRITE_ACP", 'id="writer"')
OWN = {"colour": "blue"}
OWNER = Grant("FULL_CONTROL", 'id="owner"')

FIELDS: dict[str, tuple[Copy, dict[str, str]]] = {
    "every system header is sent again":
        (replace(plain(), headers=SYSTEM),
         {"cache-control": "no-store", "content-disposition": "attachment", "content-encoding": "gzip",
          "content-language": "de", "content-type": "text/csv", "expires": "Tue, 1 Jan 2030",
          "x-amz-website-redirect-location": "/there"}),
    "user metadata is sent again": (replace(plain(), metadata={"colour": "blue"}), {"x-amz-meta-colour": "blue"}),
    "where S3 copies the metadata, only the redirect is sent":
        (replace(plain(), metadata=OWN, source_metadata=OWN, headers=SYSTEM),
         {"x-amz-metadata-directive": "COPY", "x-amz-website-redirect-location": "/there"}),
    "tags are escaped as a query":
        (replace(plain(), tags={"a b": "c&d=é+"}),
         {"x-amz-tagging-directive": "REPLACE", "x-amz-tagging": "a%20b=c%26d%3D%C3%A9%2B"}),
    "the storage class": (replace(plain(), storage_class="GLACIER_IR"), {"x-amz-storage-class": "GLACIER_IR"}),
    "SSE-S3": (replace(plain(), encryption=Encryption("AES256")), {SSE: "AES256"}),
    "SSE-KMS with its key and its bucket key":
        (replace(plain(), encryption=Encryption("aws:kms", "arn:k", True)),
         {SSE: "aws:kms", f"{SSE}-aws-kms-key-id": "arn:k", f"{SSE}-bucket-key-enabled": "true"}),
    "DSSE-KMS, which has no bucket key":
        (replace(plain(), encryption=Encryption("aws:kms:dsse", "arn:k", True)),
         {SSE: "aws:kms:dsse", f"{SSE}-aws-kms-key-id": "arn:k"}),
    "retention":
        (replace(plain(), lock=Lock("GOVERNANCE", "2030-01-01T00:00:00+00:00")),
         {f"{LOCK}-mode": "GOVERNANCE", f"{LOCK}-retain-until-date": "2030-01-01T00:00:00Z"}),
    "a legal hold": (replace(plain(), lock=Lock(legal_hold=True)), {f"{LOCK}-legal-hold": "ON"}),
    "an event hold with its days":
        (replace(plain(), lock=Lock("GOVERNANCE", event_hold=True, event_hold_days=7)),
         {f"{LOCK}-mode": "GOVERNANCE", f"{LOCK}-event-hold": "ON", f"{LOCK}-event-hold-duration-days": "7"}),
    "an event hold with its years":
        (replace(plain(), lock=Lock("COMPLIANCE", event_hold=True, event_hold_years=1)),
         {f"{LOCK}-mode": "COMPLIANCE", f"{LOCK}-event-hold": "ON", f"{LOCK}-event-hold-duration-years": "1"}),
    "the checksum's algorithm":
        (replace(plain(), checksum=Checksum("SHA256", "x=", full_object=True)), {"x-amz-checksum-algorithm": "SHA256"}),
    "everything for the bucket's owner":
        (replace(plain(), canned_acl="bucket-owner-full-control"), {"x-amz-acl": "bucket-owner-full-control"}),
    "an ACL, all grantees of a permission in one header":
        (replace(plain(), grants=(READER, PUBLIC, WRITER)),
         {"x-amz-grant-read": f"{READER.grantee}, {PUBLIC.grantee}", "x-amz-grant-write-acp": WRITER.grantee}),
    "an ACL that only a canned ACL can express":
        (replace(plain(), grants=(OWNER, PUBLIC, replace(PUBLIC, permission="WRITE"))),
         {"x-amz-acl": "public-read-write"}),
    "Expires as it was written": (replace(plain(), headers={"Expires": "-1"}), {"expires": "-1"}),
}  # fmt: skip


@pytest.mark.parametrize(("copy", "expected"), FIELDS.values(), ids=FIELDS)
def test_each_field_of_a_copy_becomes_a_header(copy: Copy, expected: dict[str, str]) -> None:
    always = sent(plain())
    headers = sent(copy)
    assert expected.items() <= headers.items()
    assert headers.keys() - always.keys() - expected.keys() == set(), "no other header"


def test_metadata_that_s3_copies_is_not_sent() -> None:
    headers = sent(replace(plain(), metadata=OWN, source_metadata=OWN, headers=SYSTEM))
    assert not [name for name in headers if name.startswith(("x-amz-meta-", "content-", "cache-", "expires"))]


def test_a_copy_names_the_account_that_must_own_the_destination() -> None:
    assert sent(plain(), account="222222222222")["x-amz-expected-bucket-owner"] == "222222222222"


def test_a_delete_marker_is_guarded_and_names_no_version() -> None:
    wire = Wire([Answer(status=204)])
    destination(wire, "222222222222").mark_deleted("a b", Guard('"w1"'))
    [request] = wire.requests
    assert (request.method, request.url) == ("DELETE", "https://west.s3.us-west-2.amazonaws.com/a%20b")
    assert wire.headers() == {"if-match": '"w1"', "x-amz-expected-bucket-owner": "222222222222"}


def test_a_copy_is_never_repeated_by_the_client() -> None:
    """Its answer may be lost, and an overwrite with the same bytes passes its own guard again."""
    wire = Wire([error(500, "InternalError"), COPIED])
    with pytest.raises(Temporary) as trouble:
        destination(wire).copy(plain(), Guard())
    assert trouble.value.reason is Reason.SERVICE
    assert len(wire.requests) == 1


def test_an_error_in_the_body_of_a_200_is_an_error() -> None:
    wire = Wire([Answer("<Error><Code>InternalError</Code><Message>late</Message></Error>")])
    with pytest.raises(Temporary):
        destination(wire).copy(plain(), Guard())
    assert len(wire.requests) == 1


def test_a_guard_that_does_not_hold_is_a_conflict() -> None:
    for status, code in ((412, "PreconditionFailed"), (409, "ConditionalRequestConflict")):
        with pytest.raises(Conflict):
            destination(Wire([error(status, code)])).copy(plain(), Guard('"w0"'))


def test_a_copy_that_is_denied_is_permanent_trouble() -> None:
    with pytest.raises(Permanent) as trouble:
        destination(Wire([*[error(403, "AccessDenied")] * 2, error(404, "NoSuchKey")])).copy(plain(), Guard())
    assert trouble.value.reason is Reason.DST_PUT_DENIED


REFUSED = {"denied": error(403, "AccessDenied"), "not offered": error(501, "NotImplemented")}


@pytest.mark.parametrize("case", REFUSED)
def test_a_copy_that_is_refused_is_repeated_once_without_annotations_and_with_a_warning(case: str) -> None:
    wire, warnings = Wire([REFUSED[case], COPIED]), list[str]()
    clients = wire.clients()
    west = BucketReplicas(
        Target("west"), clients.reader("us-west-2"), clients.writer("us-west-2"), Shared(warn=warnings.append)
    )
    assert west.copy(plain(), Guard()).version_id == "w1-id"
    first, second = ({name.lower() for name in request.headers} for request in wire.requests)
    assert second - first == {"x-amz-object-annotation-directive"}
    assert wire.headers()["x-amz-object-annotation-directive"] == "EXCLUDE"
    [warning] = warnings
    assert warning.startswith("annotations left out of photos/1.jpg v1 of east at west: ")


def test_a_public_copy_that_is_refused_is_tried_with_less_and_less_and_says_what_it_lacks() -> None:
    public = replace(plain(), grants=(READER, PUBLIC))
    clean, no_acl = {"x-amz-grant-read": f"{READER.grantee}"}, "x-amz-grant-read"
    tries = [
        {no_acl: f"{READER.grantee}, {PUBLIC.grantee}"},
        clean,
        {no_acl: f"{READER.grantee}, {PUBLIC.grantee}", "x-amz-object-annotation-directive": "EXCLUDE"},
        clean | {"x-amz-object-annotation-directive": "EXCLUDE"},
    ]
    lacks = ["", "public grants", "annotations", "public grants and annotations"]
    for number, wanted in enumerate(tries):
        wire, warnings = Wire([*[REFUSED["denied"]] * number, COPIED]), list[str]()
        clients = wire.clients()
        west = BucketReplicas(
            Target("west"), clients.reader("us-west-2"), clients.writer("us-west-2"), Shared(warn=warnings.append)
        )
        west.copy(public, Guard())
        headers = wire.headers()
        assert {name: value for name, value in headers.items() if name in (no_acl, *tries[2])} == wanted
        assert [warning.partition(" left out")[0] for warning in warnings] == [lacks[number]] * bool(number)


def test_a_copy_that_is_refused_without_annotations_too_fails_without_a_warning() -> None:
    wire, warnings = Wire([*[error(403, "AccessDenied")] * 2, error(404, "NoSuchKey")]), list[str]()
    clients = wire.clients()
    west = BucketReplicas(
        Target("west"), clients.reader("us-west-2"), clients.writer("us-west-2"), Shared(warn=warnings.append)
    )
    with pytest.raises(Permanent) as trouble:
        west.copy(plain(), Guard())
    assert (trouble.value.reason, warnings) == (Reason.DST_PUT_DENIED, [])
    assert [request.method for request in wire.requests].count("PUT") == 2


@pytest.mark.parametrize(("size", "patient"), [(QUICK_BYTES, 0), (QUICK_BYTES + 1, 1)], ids=["small", "large"])
def test_only_a_copy_that_takes_long_is_waited_for_that_long(size: int, patient: int) -> None:
    quick, slow = Wire([COPIED]), Wire([COPIED])
    reader, writer = quick.clients().reader("us-west-2"), quick.clients().quick_writer("us-west-2")
    replicas = BucketReplicas(Target("west"), reader, writer, patient=lambda: slow.clients().writer("us-west-2"))
    replicas.copy(replace(plain(), size=size), Guard())
    assert (len(quick.requests), len(slow.requests)) == (1 - patient, patient)


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (Answer(status=403), Reason.DST_GET_DENIED),
        (Answer(status=404), Reason.DST_DELETE_DENIED),
        (Answer(status=503), Reason.DST_DELETE_DENIED),
    ],
)
def test_a_deletion_on_a_condition_that_is_denied_says_whether_reading_is_what_lacks(
    read: Answer, reason: Reason
) -> None:
    denied = Answer("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", 403)
    with pytest.raises(Permanent) as refused:
        destination(Wire([denied, *[read] * 5])).mark_deleted("k", Guard('"w1"'))
    assert refused.value.reason is reason
