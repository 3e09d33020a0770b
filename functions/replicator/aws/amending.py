"""The port `Amendable` on S3: tags, ACL, lock and annotations of versions, which may change after the write.

Separate from writing.py because these requests have no guard, and because source buckets are written to, too, where
modifications of replicas are replicated back. Each names its version id. None can remove a version, shorten a
retention or bypass governance mode.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from replicator.aws.annotations import AnnotationsOfExisting
from replicator.aws.asking import asking
from replicator.aws.errors import Side
from replicator.aws.objects import BucketObjects, Shared
from replicator.aws.writing import grant_arguments
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason
from replicator.core.versions.version import Grant, Lock

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ACL_DENIED = frozenset({Reason.SRC_PUT_ACL_DENIED, Reason.DST_PUT_ACL_DENIED})


class AmendableObjects(BucketObjects):
    """The versions of one bucket, for changing them. The writing client repeats nothing by itself."""

    def __init__(self, target: Target, side: Side, reader: "S3Client", writer: "S3Client", shared: Shared) -> None:
        super().__init__(target.bucket, side, reader, target.account, shared)
        self._writer = writer
        self._annotations = AnnotationsOfExisting(target.bucket, side, reader, self.owner, shared.annotated)

    def annotations(self, key: str, version_id: str) -> Mapping[str, str] | None:
        """Return the ETags of a version's annotations by name; None if the bucket does not support them."""
        return self._annotations.etags(key, version_id)

    def annotation(self, key: str, version_id: str, name: str, etag: str) -> bytes | None:
        """Read one annotation; None if it was deleted or overwritten since it had this ETag."""
        return self._annotations.payload(key, version_id, name, etag)

    def put_tags(self, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        """Replace the tags of one version."""
        wanted: Any = {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}
        with asking("PutObjectTagging", self.side):
            self._writer.put_object_tagging(**self._named(key, version_id), Tagging=wanted)

    def put_grants(self, key: str, version_id: str, grants: tuple[Grant, ...]) -> None:
        """Replace the ACL of one version. Where public grants are blocked, it is written without them."""
        private = tuple(grant for grant in grants if not grant.is_public)
        try:
            self._put_grants(key, version_id, grants)
        except Permanent as trouble:
            if private == grants or trouble.reason not in ACL_DENIED:
                raise
            self._put_grants(key, version_id, private)
            self._shared.warn(f"public grants left out of {key} {version_id} of {self.bucket}: refused with its ACL")

    def _put_grants(self, key: str, version_id: str, grants: tuple[Grant, ...]) -> None:
        arguments: Any = grant_arguments(grants) or {"ACL": "private"}
        with asking("PutObjectAcl", self.side):
            self._writer.put_object_acl(**self._named(key, version_id), **arguments)

    def put_retention(self, key: str, version_id: str, lock: Lock, *, releases: bool = False) -> None:
        """Set retention and event hold of one version. Never bypasses governance mode.

        releases: end its event hold. S3 then computes by itself until when the version is retained.
        """
        retention: Any = {"Mode": lock.mode}
        if lock.until:
            retention["RetainUntilDate"] = datetime.fromisoformat(lock.until)
        if lock.event_hold:
            days, years = lock.event_hold_days, lock.event_hold_years
            retention |= {"EventHold": "ON", "EventHoldDuration": {"Days": days} if days else {"Years": years}}
        if releases:
            retention["EventHold"] = "OFF"
        with asking("PutObjectRetention", self.side):
            self._writer.put_object_retention(**self._named(key, version_id), Retention=retention)

    def put_legal_hold(self, key: str, version_id: str, *, on: bool) -> None:
        """Set or lift the legal hold of one version."""
        with asking("PutObjectLegalHold", self.side):
            self._writer.put_object_legal_hold(
                **self._named(key, version_id), LegalHold={"Status": "ON" if on else "OFF"}
            )

    def annotate(self, key: str, version_id: str, name: str, payload: bytes) -> None:
        """Put one annotation on a version, only if `annotations` showed that the bucket supports them."""
        self._annotations.put(self._writer, key, version_id, name, payload)

    def remove_annotation(self, key: str, version_id: str, name: str) -> None:
        """Delete one annotation. Nothing happens if it does not exist any more."""
        self._annotations.remove(self._writer, key, version_id, name)
