"""Two stages for the same test: the in-memory fakes, and the adapters to AWS on the emulator.

A stage has a source in us-east-1 and a destination with Object Lock in us-west-2, both with ACLs, whose users do what a
test says, and the ports through which the product sees them. What a test claims must hold on both.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

import boto3
import pytest
from replicator.aws.buckets import S3Buckets
from replicator.aws.clients import Clients
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Side
from replicator.core.versions.events import Record, parse
from replicator.core.versions.version import Grant
from replicator.flows.ports import Amendable, Objects, Replicas

from tests.emulator.callers import allow, role
from tests.emulator.plain import USER as USER_KEYS
from tests.emulator.plain import Plain, serving
from tests.fakes.denials import Denying
from tests.fakes.notifications import notification
from tests.fakes.objects import MemoryBuckets
from tests.fakes.points import Straight
from tests.fakes.reporting import in_turn
from tests.fakes.s3 import Bucket, MemoryS3
from tests.fakes.stored import Content

EVERYBODY = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'


class Stage(Protocol):
    """What a test needs."""

    source: str
    destination: str

    def put(self, bucket: str, key: str, content: Content | None = None) -> str:
        """Write an object in one piece; return its version id, `null` if versions are not kept."""

    def upload(self, bucket: str, key: str, *, meanwhile: Content | None = None) -> str:
        """Begin an upload in parts, write `meanwhile` to the key, complete the upload; return its version id."""

    def delete(self, bucket: str, key: str) -> str:
        """Delete without naming a version; return the delete marker's id."""

    def destroy(self, bucket: str, key: str, version_id: str) -> None:
        """Delete one version for good."""

    def tag(self, bucket: str, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        """Replace the tags of a version."""

    def suspend(self, bucket: str) -> None:
        """Suspend versioning."""

    def body(self, bucket: str, key: str, version_id: str) -> bytes:
        """Read a version's bytes."""

    def reads(self, bucket: str) -> Objects:
        """Return the product's view of a bucket as a source."""

    def writes(self, bucket: str) -> Replicas:
        """Return the product's view of a bucket as a destination."""

    def amends(self, bucket: str, side: Side, *, denied: bool = False) -> Amendable:
        """Return the product's view of a bucket whose versions it changes. denied: it may do nothing there."""

    def disable_acls(self, bucket: str) -> None:
        """Let the bucket own all its objects, which disables ACLs."""

    def block_public_grants(self, bucket: str) -> None:
        """Let the bucket refuse ACLs that grant anything to everybody."""

    def notify(self) -> None:
        """Let both buckets send events from now on."""

    def events(self, bucket: str) -> Sequence[Record]:
        """Return what the events of a bucket say that arrived since last asked, in no order."""


@dataclass(slots=True)
class InMemory:
    """The fakes."""

    s3: MemoryS3 = field(default_factory=MemoryS3)
    source: str = "source"
    destination: str = "destination"
    messages: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.s3.add(Bucket(self.source, "us-east-1", acls_enabled=True))
        self.s3.add(Bucket(self.destination, "us-west-2", acls_enabled=True, object_lock=True))

    def put(self, bucket: str, key: str, content: Content | None = None) -> str:
        return self.s3.put(bucket, key, content or Content()).version_id

    def upload(self, bucket: str, key: str, *, meanwhile: Content | None = None) -> str:
        begun = self.s3.clock.now
        if meanwhile is not None:
            self.s3.clock.advance(1.0)
            self.put(bucket, key, meanwhile)
        name = "ObjectCreated:CompleteMultipartUpload"
        return self.s3.put(bucket, key, Content(b"parts", parts=1), name=name, begun=begun).version_id

    def delete(self, bucket: str, key: str) -> str:
        stored = self.s3.delete(bucket, key)
        assert stored is not None
        return stored.version_id

    def destroy(self, bucket: str, key: str, version_id: str) -> None:
        self.s3.destroy(bucket, key, version_id)

    def tag(self, bucket: str, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        self.s3.tag(bucket, key, version_id, tags)

    def suspend(self, bucket: str) -> None:
        self.s3.buckets[bucket].versioning = "Suspended"

    def body(self, bucket: str, key: str, version_id: str) -> bytes:
        stored = self.s3.buckets[bucket].find(key, version_id)
        assert stored is not None
        return stored.content.body

    def reads(self, bucket: str) -> Objects:
        return MemoryBuckets(self.s3).source(bucket)

    def writes(self, bucket: str) -> Replicas:
        return MemoryBuckets(self.s3).replicas(Target(bucket))

    def amends(self, bucket: str, side: Side, *, denied: bool = False) -> Amendable:
        points = Denying() if denied else Straight()
        return MemoryBuckets(self.s3, points).amendable(Target(bucket), side)

    def disable_acls(self, bucket: str) -> None:
        self.s3.buckets[bucket].acls_enabled = False

    def block_public_grants(self, bucket: str) -> None:
        self.s3.buckets[bucket].blocks_public_grants = True

    def notify(self) -> None:
        self.s3.listeners.append(
            lambda happening: self.messages.setdefault(happening.bucket, []).append(notification(happening))
        )

    def events(self, bucket: str) -> Sequence[Record]:
        return _records(self.messages.pop(bucket, []))


@dataclass(slots=True)
class OnEmulator:
    """The adapters to AWS, on the emulator's server."""

    plain: Plain
    buckets: S3Buckets
    source: str
    destination: str
    queues: dict[str, str] = field(default_factory=dict)

    def put(self, bucket: str, key: str, content: Content | None = None) -> str:
        answer = self._user(bucket).put_object(Bucket=bucket, Key=key, **_arguments(content or Content()))
        return str(answer.get("VersionId", "null"))

    def upload(self, bucket: str, key: str, *, meanwhile: Content | None = None) -> str:
        user, where = self._user(bucket), {"Bucket": bucket, "Key": key}
        named = {**where, "UploadId": user.create_multipart_upload(**where)["UploadId"]}
        if meanwhile is not None:
            self.put(bucket, key, meanwhile)
        part = user.upload_part(**named, PartNumber=1, Body=b"parts")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        return str(user.complete_multipart_upload(**named, MultipartUpload=parts)["VersionId"])

    def delete(self, bucket: str, key: str) -> str:
        return str(self._user(bucket).delete_object(Bucket=bucket, Key=key).get("VersionId", "null"))

    def destroy(self, bucket: str, key: str, version_id: str) -> None:
        self._user(bucket).delete_object(Bucket=bucket, Key=key, VersionId=version_id)

    def tag(self, bucket: str, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        tagging = {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}
        self._user(bucket).put_object_tagging(Bucket=bucket, Key=key, VersionId=version_id, Tagging=tagging)

    def suspend(self, bucket: str) -> None:
        self._user(bucket).put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})

    def body(self, bucket: str, key: str, version_id: str) -> bytes:
        answer = self._user(bucket).get_object(Bucket=bucket, Key=key, VersionId=version_id)
        return bytes(answer["Body"].read())

    def reads(self, bucket: str) -> Objects:
        return self.buckets.source(bucket)

    def writes(self, bucket: str) -> Replicas:
        return self.buckets.replicas(Target(bucket))

    def amends(self, bucket: str, side: Side, *, denied: bool = False) -> Amendable:
        buckets = S3Buckets(self._clients_without_permissions(bucket), in_turn) if denied else self.buckets
        return buckets.amendable(Target(bucket), side)

    def _clients_without_permissions(self, bucket: str) -> Clients:
        """Return the clients of a function that may ask for nothing but the bucket's Region."""
        arn = role(self.plain, allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"))
        issued = self.plain.emulator.principals.issue("AROA1", "replicate", "us-east-1", arn)
        session = boto3.Session(
            issued.access_key_id, issued.secret_access_key, issued.session_token, region_name="us-east-1"
        )
        return Clients(session)

    def disable_acls(self, bucket: str) -> None:
        rules = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        self._user(bucket).put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)

    def block_public_grants(self, bucket: str) -> None:
        self._user(bucket).put_public_access_block(
            Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True}
        )

    def notify(self) -> None:
        for bucket in (self.source, self.destination):
            region = self._region(bucket)
            self.queues[bucket], arn = self.plain.queue(region)
            events = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*")
            self.plain.notify(bucket, arn, *events, region=region)

    def events(self, bucket: str) -> Sequence[Record]:
        messages = self.plain.messages(self.queues[bucket], self._region(bucket))
        return _records([json.dumps(message) for message in messages])

    def _region(self, bucket: str) -> str:
        return "us-east-1" if bucket == self.source else "us-west-2"

    def _user(self, bucket: str) -> Any:
        return self.plain.client("s3", self._region(bucket))


def _arguments(content: Content) -> dict[str, Any]:
    """Write down for boto3 what a user sends."""
    lock: dict[str, Any] = {}
    if content.lock.mode:
        until = datetime.fromisoformat(content.lock.until)
        lock = {"ObjectLockMode": content.lock.mode, "ObjectLockRetainUntilDate": until}
    if content.lock.legal_hold:
        lock["ObjectLockLegalHoldStatus"] = "ON"
    grants = {"READ": "GrantRead", "FULL_CONTROL": "GrantFullControl"}
    return {
        "Body": content.body,
        "Metadata": dict(content.metadata),
        **content.headers,
        "StorageClass": content.storage_class,
        **({"Tagging": urlencode(content.tags)} if content.tags else {}),
        **{grants[grant.permission]: grant.grantee for grant in content.grants},
        **lock,
    }


def _records(bodies: Sequence[str]) -> list[Record]:
    records = [record for body in bodies for record in parse(body)]
    assert all(isinstance(record, Record) for record in records), records
    return [record for record in records if isinstance(record, Record)]


def on_emulator(plain: Plain, clients: Clients) -> OnEmulator:
    """Build a stage of its own: two new buckets."""
    source, destination = (
        plain.bucket(region, ObjectLockEnabledForBucket=lock, ObjectOwnership="ObjectWriter")
        for region, lock in (("us-east-1", False), ("us-west-2", True))
    )
    return OnEmulator(plain, S3Buckets(clients, in_turn), source, destination)


@contextmanager
def emulated() -> Iterator[tuple[Plain, Clients]]:
    """Run a server that boto3 finds by itself, as functions do; yield it with the product's clients."""
    with serving() as plain, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", str(plain.emulator.endpoint))
        patch.setenv("AWS_ACCESS_KEY_ID", USER_KEYS.access_key_id)
        patch.setenv("AWS_SECRET_ACCESS_KEY", USER_KEYS.secret_access_key)
        yield plain, Clients(boto3.Session(region_name="us-east-1"))


RICH = Content(
    body=b"telling",
    metadata={"one": "1", "two": "zwei"},
    headers={"ContentType": "text/plain", "CacheControl": "max-age=60", "ContentLanguage": "de"},
    tags={"team": "blue"},
    grants=(Grant("READ", EVERYBODY),),
    storage_class="STANDARD_IA",
)
"""An object with something of everything."""


def in_a_year() -> str:
    """Return a retention date, as HEAD gives it."""
    return (datetime.now(UTC) + timedelta(days=365)).replace(microsecond=0).isoformat()
