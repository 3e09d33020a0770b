"""The port `Buckets` on S3: the adapters of single buckets, their Regions, and the settings of a whole bucket.

Settings are read once per container, and again every five minutes because they may change. Who needs them waits for
their own bucket only (remembered.py).
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from replicator.aws.amending import AmendableObjects
from replicator.aws.asking import asking
from replicator.aws.bucket_settings import has_acls, has_object_lock, is_versioned, listens
from replicator.aws.clients import Clients
from replicator.aws.errors import Side
from replicator.aws.large_objects import BucketLargeObjects
from replicator.aws.objects import BucketObjects, Shared
from replicator.aws.remembered import Remembered
from replicator.aws.sight import Sight
from replicator.aws.uploads import BucketUploads
from replicator.aws.writing import BucketReplicas
from replicator.core.deciding.target import Capabilities, Target
from replicator.flows.ports import SideBySide

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from replicator.aws.bucket_listing import BucketListing

KEEP_SECONDS = 300.0
RECENT_SECONDS = 1.0
"""How old settings may be for what is redriven: its cause was removed a moment ago. A redrive of many reads few."""


class S3Buckets:
    """Makes the adapters of single buckets, and caches their Regions and settings. Thread-safe."""

    def __init__(
        self,
        clients: Clients,
        side_by_side: SideBySide,
        clock: Callable[[], float] = time.time,
        warn: Callable[[str], None] = lambda _: None,
        *,
        checks_sight: bool = True,
    ) -> None:
        """Take the clients, a function that runs tasks side by side, a wall clock in seconds, and one that logs.

        checks_sight: fail if a HEAD leaves out tags or locks. Who only reads, such as an operator, does without.
        """
        self._clients = clients
        self._side_by_side = side_by_side
        self._source_account = clients.accounts.source
        sight = Sight(clock) if checks_sight else None
        self._shared = Shared(sight, source=self._read_for, source_account=self._source_account, warn=warn)
        self._regions: dict[str, str] = {}
        self._asked_regions: Remembered[tuple[str, Side], str] = Remembered(clock)
        self._settings: Remembered[tuple[str, Side], Target] = Remembered(clock)

    def source(self, bucket: str) -> BucketObjects:
        """Return a source bucket; reason codes of its trouble are those of the source."""
        reader = self._clients.reader(self.region(bucket, Side.SOURCE, ""))
        return BucketObjects(bucket, Side.SOURCE, reader, self._source_account, self._shared)

    def _read_for(self, bucket: str, target: Target) -> BucketObjects:
        """Return a source bucket as copies into a destination read it: with the destination's role."""
        reader = self._clients.toward(target).reader(self.region(bucket, Side.SOURCE, ""))
        return BucketObjects(bucket, Side.SOURCE, reader, self._source_account, self._shared)

    def replicas(self, target: Target) -> BucketReplicas:
        """Return a destination bucket; reason codes are those of the destination. The target's account must own it."""
        region = self.region(target.bucket, Side.DESTINATION, target.account)
        clients = self._clients.toward(target)
        reader, writer = clients.reader(region), clients.quick_writer(region)
        return BucketReplicas(target, reader, writer, self._shared, partial(clients.writer, region))

    def amendable(self, target: Target, side: Side) -> AmendableObjects:
        """Return a source or a destination for changing its versions; reason codes are those of the side."""
        region, clients = self.region(target.bucket, side, target.account), self._clients_for(target, side)
        reader, writer = clients.reader(region), clients.quick_writer(region)
        owned = replace(target, account=self._owner_of(target, side))
        return AmendableObjects(owned, side, reader, writer, self._shared)

    def large_objects(self, bucket: str) -> BucketLargeObjects:
        """Return a source bucket for what only copies in parts ask."""
        reader = self._clients.reader(self.region(bucket, Side.SOURCE, ""))
        return BucketLargeObjects(bucket, Side.SOURCE, reader, self._source_account, self._shared.annotated)

    def uploads(self, target: Target) -> BucketUploads:
        """Return a destination bucket's multipart uploads. Its writing clients are made on first use."""
        region = self.region(target.bucket, Side.DESTINATION, target.account)
        return BucketUploads(target.bucket, self._clients.toward(target), region, target.account, self._shared)

    def listing(self) -> "BucketListing":
        """Return what lists whole buckets, each in its own Region."""
        from replicator.aws.bucket_listing import BucketListing  # noqa: PLC0415 - one function lists whole buckets

        return BucketListing(self._lister, self._source_account)

    def source_has_acls(self, bucket: str) -> bool:
        """Return whether ACLs are enabled in a source bucket."""
        return self._described(Target(bucket), Side.SOURCE).capabilities.acls

    def describe(self, target: Target, *, recent: bool = False) -> Target:
        """Return a destination with its Region and capabilities. recent: as they were a second ago."""
        keep = RECENT_SECONDS if recent else KEEP_SECONDS
        return replace(self._described(target, Side.DESTINATION, keep), account=target.account)

    def _described(self, target: Target, side: Side, keep: float = KEEP_SECONDS) -> Target:
        return self._settings.answer((target.bucket, side), partial(self._read, target, side), keep)

    def region(self, bucket: str, side: Side, account: str) -> str:
        """Return a bucket's Region. It never changes, and is asked for once per container."""
        if bucket not in self._regions:
            ask = partial(self._read_region, bucket, side, account)
            self._regions[bucket] = self._asked_regions.answer((bucket, side), ask)
        return self._regions[bucket]

    def _read_region(self, bucket: str, side: Side, account: str) -> str:
        target = Target(bucket, account)
        client = self._clients_for(target, side).reader(self._clients.region)
        with asking("HeadBucket", side):
            answer = client.head_bucket(Bucket=bucket, **self._expected(target, side))
        return answer.get("BucketRegion") or self._clients.region

    def _read(self, target: Target, side: Side) -> Target:
        region = self.region(target.bucket, side, target.account)
        client, owner = self._clients_for(target, side).reader(region), self._expected(target, side)
        if side is Side.SOURCE:  # nothing else is asked of a source
            acls = has_acls(client, target.bucket, side, owner)
            return Target(target.bucket, region=region, capabilities=Capabilities(acls=acls))
        reads = (is_versioned, has_acls, has_object_lock, listens)
        settings = self._side_by_side([partial(read, client, target.bucket, side, owner) for read in reads])
        versions, acls, lock, has_listeners = settings
        return Target(target.bucket, target.account, region, Capabilities(versions, acls, lock), has_listeners)

    def _lister(self, target: Target, side: Side) -> "S3Client":
        return self._clients_for(target, side).lister(self.region(target.bucket, side, target.account))

    def _clients_for(self, target: Target, side: Side) -> Clients:
        """Return the clients for a bucket: sources are read, and changed, with the function's own role."""
        return self._clients if side is Side.SOURCE else self._clients.toward(target)

    def _owner_of(self, target: Target, side: Side) -> str:
        return target.account or (self._source_account if side is Side.SOURCE else "")

    def _expected(self, target: Target, side: Side) -> dict[str, Any]:
        """Return the argument that checks a bucket's owner; nothing if nobody says who owns it."""
        owner = self._owner_of(target, side)
        return {"ExpectedBucketOwner": owner} if owner else {}
