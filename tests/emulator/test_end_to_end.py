"""Objects of every kind, through the real template and the real handlers; every replica is compared field by field."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.running import Running, running
from tests.emulator.failures import take_failures
from tests.emulator.likeness import MARK, Comparison, Side
from tests.emulator.worlds import rule

MIB = 1024**2
KMS_KEY = "arn:aws:kms:us-west-2:123456789012:key/00000000-0000-0000-0000-000000000001"
PAIRS = {"east": "west", "acl-east": "acl-west", "lock-east": "lock-west", "old-east": "old-west"}


WITH_KMS = {
    "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
    "Destination": {"EncryptionConfiguration": {"ReplicaKmsKeyID": KMS_KEY}},
}
WORLD: dict[str, Any] = {
    "buckets": [
        {"name": "east", "region": "us-east-1"},
        {"name": "west", "region": "us-west-2"},
        {"name": "acl-east", "region": "us-east-1", "ownership": "ObjectWriter"},
        {"name": "acl-west", "region": "us-west-2", "ownership": "BucketOwnerPreferred"},
        {"name": "lock-east", "region": "us-east-1", "object_lock": True},
        {"name": "lock-west", "region": "us-west-2", "object_lock": True},
        {"name": "old-east", "region": "us-east-1", "versioning": "Suspended"},
        {"name": "old-west", "region": "us-west-2"},
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {"DestinationKmsKeys": KMS_KEY},
            "rules": {
                source: {"Rules": [rule(source, destination, **(WITH_KMS if source == "east" else {}))]}
                for source, destination in PAIRS.items()
            },
        }
    ],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running(WORLD) as emulator:
        yield emulator


def put(emulator: Running, key: str, bucket: str = "east", body: bytes = b"content", **fields: Any) -> str:
    answer = emulator.client("s3").put_object(Bucket=bucket, Key=key, Body=body, **fields)
    return str(answer.get("VersionId", "null"))


def compared(emulator: Running, key: str, source: str = "east", *, overtaken: bool = False) -> list[str]:
    """Wait until nothing is under way, then list how the destination differs from the source at this key."""
    assert emulator.idle(), "it does not come to rest"
    here, there = Side.of(emulator, source), Side.of(emulator, PAIRS[source])
    return Comparison(here, there, acls=source == "acl-east", overtaken=overtaken).differences({key})


ODD_KEYS = {
    "spaces": "a b  c",
    "plus": "a+b+%2B",
    "percent": "100%/%41/%zz",
    "slashes": "/a//b/",
    "unicode": "ü/猫/😀/e\u0301",
    "query": "?a=1&b=2#c;d,e:f@g$h!i'j(k)*l~m",
    "dots": "a/../b/./c",
    "quotes": "\"<a> & 'b'\" | {c} ^ `d` [e] \\ f",
    "long": "x" * 1024,
    "long and unicode": "é" * 512,
    "one character": "k",
}


@pytest.mark.parametrize("key", ODD_KEYS.values(), ids=ODD_KEYS)
def test_an_object_with_any_key_is_replicated(emulator: Running, key: str) -> None:
    put(emulator, key)
    assert compared(emulator, key) == []


HEADERS = {
    "CacheControl": "max-age=60, private",
    "ContentDisposition": 'attachment; filename="a b.txt"',
    "ContentEncoding": "gzip",
    "ContentLanguage": "de, en",
    "ContentType": "text/plain; charset=utf-8",
    "Expires": dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
}
TAGS = "&".join(f"tag{number}=value%20{number}%2B%2F" for number in range(10))
ROOMLESS = {"note": "x" * 2040}

FIELDS: dict[str, dict[str, Any]] = {
    "nothing special": {},
    "empty": {"body": b""},
    "one megabyte": {"body": bytes(range(256)) * 4096},
    "user metadata": {"Metadata": {"colour": "blue", "with-dash": " spaces  inside ", "empty": ""}},
    "most user metadata entries": {"Metadata": {f"e{number}": "v" * (number % 5) for number in range(240)}},
    "all system headers": HEADERS,
    "headers outside ASCII": {
        "ContentDisposition": 'attachment; filename="\u65e5\u672c \u00c4.pdf"',
        "CacheControl": "\u00c4M\u00c4Z",
        "ContentLanguage": "\u00e9",
        "ContentType": "text/plain; name=\u732b",
        "WebsiteRedirectLocation": "/\u00e4\u732b",
    },
    "an ideographic space in a header": {"ContentDisposition": "attachment; filename=a\u3000b"},
    "user metadata outside ASCII": {"Metadata": {"q": "=?UTF-8?Q?=C3=84M_=E7=8C=AB?=", "b": "=?UTF-8?B?54yr?="}},
    "website redirect": {"WebsiteRedirectLocation": "/elsewhere?x=1"},
    "website redirect and full metadata": {"WebsiteRedirectLocation": "/elsewhere", "Metadata": ROOMLESS},
    "headers and full metadata": HEADERS | {"Metadata": ROOMLESS},
    "one tag": {"Tagging": "team=blue"},
    "tags of every kind": {"Tagging": "a%20b=c%2Bd&e=&%C3%BC=%E7%8C%AB&f=%3D%2F%40"},
    "ten tags": {"Tagging": TAGS},
    "nine tags and full metadata": {"Tagging": TAGS.rpartition("&")[0], "Metadata": ROOMLESS},
    "infrequent access": {"StorageClass": "STANDARD_IA"},
    "intelligent tiering": {"StorageClass": "INTELLIGENT_TIERING"},
    "instant retrieval": {"StorageClass": "GLACIER_IR"},
    "SSE-S3": {"ServerSideEncryption": "AES256"},
    "CRC32": {"ChecksumAlgorithm": "CRC32"},
    "CRC32C": {"ChecksumAlgorithm": "CRC32C"},
    "CRC64NVME": {"ChecksumAlgorithm": "CRC64NVME"},
    "SHA1": {"ChecksumAlgorithm": "SHA1"},
    "SHA256": {"ChecksumAlgorithm": "SHA256"},
}


@pytest.mark.parametrize("kind", FIELDS)
def test_an_object_of_any_kind_is_replicated_with_everything_it_has(emulator: Running, kind: str) -> None:
    key = f"kinds/{kind}"
    put(emulator, key, **FIELDS[kind])
    assert compared(emulator, key) == []


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "2030-01-01", "Tue, 1 Jan 2030 00:00:00 +0100", "soon"],
    ids=["zero", "a negative number", "a date alone", "a time zone", "a word"],
)
def test_the_expires_header_is_replicated_to_the_letter(emulator: Running, text: str) -> None:
    """S3 keeps any text in this header. boto3 writes only dates, so the header is added behind its back."""

    def add(request: Any, **_: Any) -> None:
        request.headers["Expires"] = text

    s3 = emulator.client("s3")
    s3.meta.events.register("before-sign.s3.PutObject", add)
    s3.put_object(Bucket="east", Key=f"expires/{text}", Body=b"content", Tagging=TAGS)
    assert compared(emulator, f"expires/{text}") == []


@pytest.mark.parametrize("name", ["Content-Disposition", "Cache-Control", "Content-Type", "Expires"])
def test_a_header_that_is_no_utf_8_is_replicated_byte_for_byte(emulator: Running, name: str) -> None:
    """S3 keeps ISO-8859-1, which browser forms send. boto3 does not write it, so it is added behind its back."""

    def add(request: Any, **_: Any) -> None:
        if request.method == "PUT":
            request.headers[name] = b"caf\xe9"

    s3 = emulator.client("s3")
    s3.meta.events.register("before-send.s3.PutObject", add)
    s3.put_object(Bucket="east", Key=f"latin/{name}", Body=b"content", Tagging="team=blue")
    s3.meta.events.unregister("before-send.s3.PutObject", add)
    assert compared(emulator, f"latin/{name}") == []


def test_a_replica_of_a_kms_object_is_encrypted_with_the_key_of_its_rule(emulator: Running) -> None:
    put(emulator, "kms", ServerSideEncryption="aws:kms", BucketKeyEnabled=True)
    assert compared(emulator, "kms") == []
    west = Side.of(emulator, "west")
    [entry] = west.versions("kms")
    head = west.head("kms", entry["VersionId"])
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", KMS_KEY)


def test_an_object_uploaded_in_parts_is_replicated(emulator: Running) -> None:
    s3 = emulator.client("s3")
    named = {"Bucket": "east", "Key": "multipart"}
    upload = s3.create_multipart_upload(**named, Metadata={"a": "b"}, ContentType="x/y", Tagging="team=blue")
    parts = []
    for number, body in enumerate((b"a" * 5 * MIB, b"b" * 10), start=1):
        answer = s3.upload_part(**named, UploadId=upload["UploadId"], PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(**named, UploadId=upload["UploadId"], MultipartUpload={"Parts": parts})
    assert compared(emulator, "multipart") == []


CANNED = (
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
)


@pytest.mark.parametrize("acl", CANNED)
def test_a_canned_acl_is_replicated_where_acls_are_enabled(emulator: Running, acl: str) -> None:
    put(emulator, acl, "acl-east", ACL=acl)
    assert compared(emulator, acl, source="acl-east") == []


READABLE = f'id="{"a" * 64}", uri="http://acs.amazonaws.com/groups/global/AllUsers"'


def test_an_acl_with_its_own_grants_is_replicated(emulator: Running) -> None:
    put(emulator, "grants", "acl-east", GrantRead=READABLE, GrantFullControl=f'id="{"b" * 64}"')
    assert compared(emulator, "grants", source="acl-east") == []


def test_a_replica_does_without_public_grants_where_the_destination_blocks_them(emulator: Running) -> None:
    blocked = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    west, reader = emulator.client("s3", "us-west-2"), {"Type": "CanonicalUser", "ID": "a" * 64}
    west.put_public_access_block(Bucket="acl-west", PublicAccessBlockConfiguration=blocked)
    try:
        put(emulator, "blocked", "acl-east", GrantRead=READABLE)
        [difference] = compared(emulator, "blocked", source="acl-east")
    finally:
        west.delete_public_access_block(Bucket="acl-west")
    assert "AllUsers" in difference
    grants = west.get_object_acl(Bucket="acl-west", Key="blocked")["Grants"]
    assert [(each["Grantee"], each["Permission"]) for each in grants] == [(reader, "READ")]


UNTIL = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(days=2)
LOCKS: dict[str, dict[str, Any]] = {
    "no lock": {},
    "governance": {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": UNTIL},
    "compliance": {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": UNTIL},
    "legal hold": {"ObjectLockLegalHoldStatus": "ON"},
    "event hold": {
        "ObjectLockMode": "GOVERNANCE",
        "ObjectLockEventHold": "ON",
        "ObjectLockEventHoldDurationDays": 7,
    },
    "all": {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": UNTIL, "ObjectLockLegalHoldStatus": "ON"},
}


@pytest.mark.parametrize("kind", LOCKS)
def test_the_lock_of_an_object_is_replicated(emulator: Running, kind: str) -> None:
    put(emulator, kind, "lock-east", **LOCKS[kind])
    assert compared(emulator, kind, source="lock-east") == []


def test_null_versions_and_the_versions_after_them_are_replicated(emulator: Running) -> None:
    """While versioning is suspended a key has one version, `null`; S3 overwrites it in place."""
    put(emulator, "k", "old-east", b"first")
    assert compared(emulator, "k", source="old-east") == []
    emulator.client("s3").put_bucket_versioning(Bucket="old-east", VersioningConfiguration={"Status": "Enabled"})
    put(emulator, "k", "old-east", b"second")
    assert emulator.idle()  # so that the third cannot overtake it
    put(emulator, "k", "old-east", b"third")
    assert compared(emulator, "k", source="old-east") == []
    assert len(Side.of(emulator, "old-west").versions("k")) == 3


def test_a_burst_of_overwrites_is_replicated_whole_and_ends_with_the_newest(emulator: Running) -> None:
    for number in range(30):
        put(emulator, "burst", body=f"{number}".encode(), Metadata={"number": str(number)})
    assert compared(emulator, "burst", overtaken=True) == []
    west = Side.of(emulator, "west")
    bodies = [int(west.body("burst", entry["VersionId"])) for entry in reversed(west.versions("burst"))]
    assert set(bodies) == set(range(30))
    assert bodies[-1] == 29
    assert len(bodies) < 60, "each is put back at most now and then"


def test_overwrites_with_the_same_bytes_are_all_replicated(emulator: Running) -> None:
    """An ETag cannot tell them apart, so handlers side by side may copy one twice. None is lost or in another order."""
    ids = [put(emulator, "same", body=b"same") for _ in range(5)]
    assert emulator.idle()
    west = Side.of(emulator, "west")
    origins = [west.origin("same", entry["VersionId"]) for entry in west.versions("same")]
    assert set(origins) == set(ids)
    assert origins[0] == ids[-1]


def test_overwrites_with_the_same_bytes_one_at_a_time_are_replicated_once_each(emulator: Running) -> None:
    for _ in range(3):
        put(emulator, "same in turn", body=b"same")
        assert compared(emulator, "same in turn") == []


def test_a_users_copy_of_a_replica_is_replicated_as_an_object_of_its_own(emulator: Running) -> None:
    put(emulator, "original")
    assert compared(emulator, "original") == []
    copy = {"Bucket": "west", "Key": "original"}
    answer = emulator.client("s3").copy_object(Bucket="east", Key="original copied back", CopySource=copy)
    assert emulator.idle()
    assert Side.of(emulator, "east").head("original copied back", answer["VersionId"])["Metadata"][MARK]
    west = Side.of(emulator, "west")
    [entry] = west.versions("original copied back")
    assert west.origin("original copied back", entry["VersionId"]) == answer["VersionId"]


def test_a_delete_marker_is_not_replicated_unless_its_rule_says_so(emulator: Running) -> None:
    put(emulator, "deleted")
    assert emulator.idle()
    emulator.client("s3").delete_object(Bucket="east", Key="deleted")
    assert emulator.idle()
    assert [entry["Marker"] for entry in Side.of(emulator, "west").entries()["deleted"]] == [False]


def test_no_object_of_any_kind_failed(emulator: Running) -> None:
    """The last test of this module: whatever came before left no message behind."""
    assert emulator.idle()
    assert take_failures(emulator) == []
