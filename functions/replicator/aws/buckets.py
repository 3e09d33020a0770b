"""The port `Buckets` on S3: the adapters of single buckets, their Regions, and the settings of a whole bucket.

Settings are read once per container, and again every five minutes because they may change. Who needs them waits for
their own bucket only (remembered.py).
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

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
        self._shared = Shared(Sight(clock) if checks_sight else None, source=self.source, warn=warn)
        self._regions: dict[str, str] = {}
        self._asked_regions: Remembered[tuple[str, Side], str] = Remembered(clock)
        self._settings: Remembered[tuple[str, Side], Target] = Remembered(clock)

    def source(self, bucket: str) -> BucketObjects:
        """Return a source bucket; reason codes of its trouble are those of the source."""
        reader = self._clients.reader(self.region(bucket, Side.SOURCE, ""))
        return BucketObjects(bucket, Side.SOURCE, reader, shared=self._shared)

    def replicas(self, target: Target) -> BucketReplicas:
        """Return a destination bucket; reason codes are those of the destination. The target's account must own it."""
        region = self.region(target.bucket, Side.DESTINATION, target.account)
        reader, writer = self._clients.reader(region), self._clients.quick_writer(region)
        return BucketReplicas(target, reader, writer, self._shared, partial(self._clients.writer, region))

    def amendable(self, target: Target, side: Side) -> AmendableObjects:
        """Return a source or a destination for changing its versions; reason codes are those of the side."""
        region = self.region(target.bucket, side, target.account)
        reader, writer = self._clients.reader(region), self._clients.quick_writer(region)
        return AmendableObjects(target, side, reader, writer, self._shared)

    def large_objects(self, bucket: str) -> BucketLargeObjects:
        """Return a source bucket for what only copies in parts ask."""
        reader = self._clients.reader(self.region(bucket, Side.SOURCE, ""))
        return BucketLargeObjects(bucket, Side.SOURCE, reader, annotated=self._shared.annotated)

    def uploads(self, target: Target) -> BucketUploads:
        """Return a destination bucket's multipart uploads. Its writing clients are made on first use."""
        region = self.region(target.bucket, Side.DESTINATION, target.account)
        return BucketUploads(target.bucket, self._clients, region, target.account, self._shared)

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
        owner: dict[str, Any] = {"ExpectedBucketOwner": account} if account else {}
        client = self._clients.reader(self._clients.region)
        with asking("HeadBucket", side):
            answer = client.head_bucket(Bucket=bucket, **owner)
        return answer.get("BucketRegion") or self._clients.region

    def _read(self, target: Target, side: Side) -> Target:
        region = self.region(target.bucket, side, target.account)
        client = self._clients.reader(region)
        if side is Side.SOURCE:  # nothing else is asked of a source
            return Target(
                target.bucket, region=region, capabilities=Capabilities(acls=has_acls(client, target.bucket, side))
            )
        reads = (is_versioned, has_acls, has_object_lock, listens)
        settings = self._side_by_side([partial(read, client, target.bucket, side) for read in reads])
        versions, acls, lock, has_listeners = settings
        return Target(target.bucket, target.account, region, Capabilities(versions, acls, lock), has_listeners)
