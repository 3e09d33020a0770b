"""The port `Objects` on S3: HEAD, LIST, tags and ACLs of one bucket, as values of the core.

Separate from writing.py because a source is only read, and because translating S3's responses into the core's values
takes tables of its own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

from replicator.aws.asking import Unreadable, asking, expecting, required
from replicator.aws.errors import DENIED, KEY_UNUSABLE, Side
from replicator.aws.header_text import is_sendable, is_sendable_metadata
from replicator.aws.listing import page_of
from replicator.aws.sight import Sight
from replicator.core.deciding.facts import ABSENT, Absent, Top
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Reason, Temporary
from replicator.core.versions.origin import NULL_VERSION
from replicator.core.versions.version import (
    Checksum,
    Encryption,
    Entry,
    Grant,
    Head,
    History,
    Lock,
    MarkerHead,
    Restore,
)

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# System-defined metadata: CopyObject's argument -> HeadObject's field. For Expires, see expires.py.
HEADERS = {
    "CacheControl": "CacheControl",
    "ContentDisposition": "ContentDisposition",
    "ContentEncoding": "ContentEncoding",
    "ContentLanguage": "ContentLanguage",
    "ContentType": "ContentType",
    "Expires": "ExpiresString",
    "WebsiteRedirectLocation": "WebsiteRedirectLocation",
}
CHECKSUMS = ("CRC64NVME", "CRC32", "CRC32C", "SHA1", "SHA256", "SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128")
EVERYBODY = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'
PUBLIC_READ_WRITE = frozenset({Grant("READ", EVERYBODY), Grant("WRITE", EVERYBODY)})
GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion"})
NO_VERSION = GONE | {"405", "MethodNotAllowed"}
"""HEAD of a version: gone, or the version id is that of a delete marker."""
BAD = frozenset({"400", "BadRequest"})
FIRST_BYTE = {"Range": "bytes=0-0"}


@dataclass(frozen=True, slots=True)
class Shared:
    """What the adapters of a container share.

    sight: checks that nothing of a version is left out. annotated: the buckets that were seen to support annotations.
    source: returns a source bucket as copies into a destination read it: it is read again to explain a copy that was
    denied. source_account: the owner of source buckets, if it must be checked. warn: logs one line.
    """

    sight: Sight | None = None
    annotated: set[str] = field(default_factory=set)
    source: "Callable[[str, Target], BucketObjects] | None" = None
    source_account: str = ""
    warn: Callable[[str], None] = lambda _: None

    def read_by_copies(self, bucket: str, written: "BucketObjects", target: Target) -> "BucketObjects":
        """Return the bucket that a copy reads: another one as a source, or the one that it writes to itself."""
        return written if self.source is None or bucket == written.bucket else self.source(bucket, target)

    def owner_of_source(self, bucket: str, target: Target) -> dict[str, Any]:
        """Return the argument of a copy that checks the owner of the bucket that it reads; nothing if unknown."""
        account = target.account if bucket == target.bucket else self.source_account
        return {"ExpectedSourceBucketOwner": account} if account else {}


class BucketObjects:
    """The objects of one bucket, as source or as destination."""

    def __init__(
        self, bucket: str, side: Side, client: "S3Client", account: str = "", shared: Shared | None = None
    ) -> None:
        """Take a client. account: the bucket's owner, if it must be checked. Without `shared` it stands alone."""
        self.bucket = bucket
        self.side = side
        self.reader = client
        self.owner: dict[str, Any] = {"ExpectedBucketOwner": account} if account else {}
        self._shared = shared or Shared()

    def head(self, key: str, version_id: str) -> Head | Absent:
        """Read one version with one HEAD. Absent if it does not exist or is a delete marker.

        The same request asks for its checksum. For the checksum of an SSE-KMS object S3 requires an enabled key and
        kms:Decrypt, which the stack lacks for keys that are not in SourceKmsKeys. So a HEAD that is denied (403) or bad
        (400) is repeated without the checksum: an object that no rule selects is then skipped instead of failing.
        """
        named = self._named(key, version_id)
        head = self._head(named)
        if self._shared.sight is None or not isinstance(head, Head):
            return head
        none_if_not_told = self._shared.sight.check(self.reader, self.side, named)
        return replace(head, tag_count=0) if head.tag_count is None and none_if_not_told else head

    def _named(self, key: str, version_id: str) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": key, "VersionId": version_id, **self.owner}

    def _head(self, named: Mapping[str, Any]) -> Head | Absent:
        with expecting("HeadObject", self.side, NO_VERSION | DENIED | BAD) as asked:
            return head_of(self.reader.head_object(ChecksumMode="ENABLED", **named))
        return ABSENT if asked.code in NO_VERSION else self._head_without_checksum(asked.code, named)

    def _head_without_checksum(self, why: str, named: Mapping[str, Any]) -> Head | Absent:
        with expecting("HeadObject", self.side, NO_VERSION | BAD) as asked:
            head = head_of(self.reader.head_object(**named))
            if not head.encryption.is_kms:
                return head
            return replace(head, key_denied=True) if why in DENIED else self._with_key_named(head, named)
        return ABSENT if asked.code in NO_VERSION else self._name_trouble(named)

    def _with_key_named(self, head: Head, named: Mapping[str, Any]) -> Head:
        """Return whose HEAD was 400 only with its checksum, with what a GET says of its KMS key.

        Old credentials are 400 as well. An archived object cannot be read whatever its key is.
        """
        if head.is_archived:
            return replace(head, key_invalid=True)
        with expecting("GetObject", self.side, KEY_UNUSABLE | DENIED) as asked:
            self._get(named, FIRST_BYTE if head.size else {})
            raise Temporary(Reason.UNKNOWN, f"HeadObject ({self.side}): 400 with the checksum, but GetObject succeeds")
        return replace(head, key_denied=asked.code in DENIED, key_invalid=asked.code in KEY_UNUSABLE)

    def _get(self, named: Mapping[str, Any], byte_range: Mapping[str, Any]) -> None:
        """Make a GET for the sake of its error, and read nothing of its body."""
        self.reader.get_object(**named, **byte_range)["Body"].close()

    def _name_trouble(self, named: Mapping[str, Any]) -> NoReturn:
        """Raise the error behind a HEAD that is 400: SSE-C, a bad version id, old credentials. Only a GET names it."""
        with asking("GetObject", self.side):
            self._get(named, FIRST_BYTE)
        raise Temporary(Reason.UNKNOWN, f"HeadObject ({self.side}): 400, but GetObject succeeds")

    def exists(self, key: str, version_id: str) -> bool:
        """Return whether there is a version or a delete marker with this id: HEAD of a marker's id answers 405."""
        named = self._named(key, version_id)
        with expecting("HeadObject", self.side, NO_VERSION | BAD) as asked:
            self.reader.head_object(**named)
        if asked.code in BAD:
            self._name_trouble(named)
        return asked.code not in GONE

    def top(self, key: str) -> Top:
        """Read the current version, or the delete marker that is current: then S3 returns 404, and headers say so."""
        named: dict[str, Any] = {"Bucket": self.bucket, "Key": key, **self.owner}
        with expecting("HeadObject", self.side, GONE | BAD) as asked:
            return head_of(self.reader.head_object(**named))
        if asked.code in BAD:
            self._name_trouble(named)
        headers = asked.response["ResponseMetadata"]["HTTPHeaders"]
        marker = headers.get("x-amz-delete-marker") == "true"
        return MarkerHead(headers.get("x-amz-version-id", NULL_VERSION)) if marker else ABSENT

    def read_first_byte(self, key: str, version_id: str) -> None:
        """Read the first byte of a version, as a copy reads all of them. Raises Permanent if that is denied."""
        with asking("GetObject", self.side):
            self._get(self._named(key, version_id), FIRST_BYTE)

    def history(self, key: str) -> History:
        """List all entries of exactly this key, oldest to newest."""
        with asking("ListObjectVersions", self.side):
            newest_first = list(self._entries(key))
        return tuple(reversed(newest_first))

    def _entries(self, key: str) -> Iterator[Entry]:
        """List page by page."""
        page: Mapping[str, Any] = {}
        while True:
            answer = self.reader.list_object_versions(Bucket=self.bucket, Prefix=key, **self.owner, **page)
            entries, following = page_of(answer, key)
            yield from entries
            if following is None:
                return
            if following == page:
                raise Unreadable("a page that leads back to itself")
            page = following

    def tags(self, key: str, version_id: str) -> Mapping[str, str]:
        """Read the tags of one version, without those that AWS reserves for itself."""
        with asking("GetObjectTagging", self.side):
            return tags_of(self.reader.get_object_tagging(**self._named(key, version_id)))

    def grants(self, key: str, version_id: str) -> tuple[Grant, ...]:
        """Read the ACL of one version; empty if it grants nothing beyond its owner's own full control."""
        with asking("GetObjectAcl", self.side):
            return grants_of(self.reader.get_object_acl(**self._named(key, version_id)))


def head_of(answer: Mapping[str, Any]) -> Head:
    """Turn the answer of HeadObject into a value. Raises Unreadable."""
    metadata = answer.get("Metadata", {})
    headers = {name: answer[given] for name, given in HEADERS.items() if answer.get(given)}
    return Head(
        version_id=answer.get("VersionId", NULL_VERSION),
        etag=required(answer, "ETag"),
        size=required(answer, "ContentLength"),
        modified=int(required(answer, "LastModified").timestamp()),
        metadata=metadata,
        unseen_metadata=answer.get("MissingMeta", 0) + _unsendable(metadata, headers),
        headers=headers,
        tag_count=answer.get("TagCount"),
        storage_class=answer.get("StorageClass", "STANDARD"),
        archive_status=answer.get("ArchiveStatus", ""),
        restore=_restore(answer.get("Restore", "")),
        encryption=Encryption(
            answer.get("ServerSideEncryption", ""), answer.get("SSEKMSKeyId", ""), answer.get("BucketKeyEnabled")
        ),
        lock=_lock(answer),
        checksum=checksum_of(answer),
        made_by_s3=answer.get("ReplicationStatus") == "REPLICA",
    )


def _unsendable(metadata: Mapping[str, str], headers: Mapping[str, str]) -> int:
    """Count what a copy could not send as it came; S3 copies it if it is not sent."""
    entries = sum(not is_sendable_metadata(name, value) for name, value in metadata.items())
    return entries + sum(not is_sendable(text) for text in headers.values())


def tags_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """Turn the answer of GetObjectTagging into tags, without those of AWS itself; no TagSet is an empty one."""
    tags = {required(tag, "Key"): tag.get("Value", "") for tag in answer.get("TagSet", ())}
    return {name: value for name, value in tags.items() if not name.startswith("aws:")}


def _restore(header: str) -> Restore:
    if 'ongoing-request="true"' in header:
        return Restore.ONGOING
    return Restore.DONE if 'ongoing-request="false"' in header else Restore.NONE


def _lock(answer: Mapping[str, Any]) -> Lock:
    until = answer.get("ObjectLockRetainUntilDate")
    return Lock(
        mode=answer.get("ObjectLockMode", ""),
        until=until.isoformat() if until else "",
        legal_hold=answer.get("ObjectLockLegalHoldStatus") == "ON",
        event_hold=answer.get("ObjectLockEventHold") == "ON",
        event_hold_days=answer.get("ObjectLockEventHoldDurationDays", 0),
        event_hold_years=answer.get("ObjectLockEventHoldDurationYears", 0),
    )


def checksum_of(answer: Mapping[str, Any]) -> Checksum | None:
    """Return the checksum in a response. Without a type, it is that of one part, all of which it covers."""
    for algorithm in CHECKSUMS:
        if value := answer.get(f"Checksum{algorithm}"):
            return Checksum(algorithm, value, answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT")
    return None


def grants_of(answer: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Turn an ACL into grants; empty for the default one, the owner's full control.

    WRITE has no meaning on an object (S3 user guide, "ACL overview"), and a copy has no header to grant it: it is kept
    only as part of the canned ACL public-read-write, which a copy can name. Raises Unreadable.
    """
    owner = Grant("FULL_CONTROL", f'id="{answer.get("Owner", {}).get("ID", "")}"')
    grants = tuple(_grant(grant) for grant in answer.get("Grants", ()))
    if frozenset(grants) != {owner, *PUBLIC_READ_WRITE}:
        grants = tuple(grant for grant in grants if grant.permission != "WRITE")
    return () if grants in ((), (owner,)) else grants


def _grant(grant: Mapping[str, Any]) -> Grant:
    return Grant(required(grant, "Permission"), _grantee(required(grant, "Grantee")))


def _grantee(grantee: Mapping[str, Any]) -> str:
    if uri := grantee.get("URI"):
        return f'uri="{uri}"'
    return f'id="{grantee["ID"]}"' if "ID" in grantee else f'emailAddress="{required(grantee, "EmailAddress")}"'
