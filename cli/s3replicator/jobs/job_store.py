"""Jobs in the control bucket: the document of each, written with conditions, and the files beside it.

Of two drivers that write at once, one gets Conflict: S3 compares the ETag that it read before.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed
from s3replicator.jobs.job import Job, decode

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FOLDER = "jobs/"
DOCUMENT = "job.json"
TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class Conflict(Exception):
    """Somebody else has written the document since it was read."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A job as it was read or written. tag: what its next write must find."""

    job: Job
    tag: str


class JobStore:
    """The jobs of one stack. Every method raises CallFailed."""

    def __init__(self, s3: "S3Client", control_bucket: str) -> None:
        self._s3 = s3
        self.bucket = control_bucket

    def create(self, job: Job) -> Stored:
        """Store a new job. Raises Conflict if there is one with its id."""
        return self._put(job, IfNoneMatch="*")

    def write(self, job: Job, before: Stored) -> Stored:
        """Store the next state of a job. Raises Conflict unless the stored one is what was read before."""
        return self._put(job, IfMatch=before.tag)

    def read(self, job_id: str) -> Stored | None:
        """Return a job, or None. Raises ValueError if its document cannot be read."""
        found = self._get(_document_key(job_id))
        return None if found is None else Stored(decode(found[0]), found[1])

    def jobs(self) -> Iterator[Job]:
        """Yield all jobs, the newest first. What is no job's document is left out."""
        with calling("s3:ListBucket"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=FOLDER, Delimiter="/")
            folders = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())]
        for folder in sorted(folders, reverse=True):
            try:
                stored = self.read(folder.removeprefix(FOLDER).rstrip("/"))
            except ValueError:
                continue
            if stored:
                yield stored.job

    def put_file(self, job_id: str, name: str, body: bytes) -> str:
        """Store a file beside a job's document; return its ETag."""
        with calling("s3:PutObject"):
            answer = self._s3.put_object(Bucket=self.bucket, Key=file_key(job_id, name), Body=body)
            return answer["ETag"]

    def get_file(self, job_id: str, name: str) -> bytes | None:
        """Return a file, or None."""
        found = self._get(file_key(job_id, name))
        return found[0] if found else None

    def upload(self, job_id: str, name: str, file: IO[bytes]) -> str:
        """Store a file of any size, in parts if need be; return its ETag."""
        key = file_key(job_id, name)
        with calling("s3:PutObject"):
            self._s3.upload_fileobj(file, self.bucket, key)
        return self.etag(self.bucket, key)

    def etag(self, bucket: str, key: str) -> str:
        """Return the ETag of any object."""
        with calling("s3:GetObject"):
            answer = self._s3.get_object(Bucket=bucket, Key=key)
            answer["Body"].close()
            return answer["ETag"]

    def get_object(self, key: str) -> bytes | None:
        """Return any object of the control bucket, or None."""
        found = self._get(key)
        return found[0] if found else None

    def _get(self, key: str) -> tuple[bytes, str] | None:
        try:
            with calling("s3:GetObject"):
                answer = self._s3.get_object(Bucket=self.bucket, Key=key)
                return answer["Body"].read(), answer["ETag"]
        except CallFailed as failed:
            if failed.call.code == "NoSuchKey":
                return None
            raise

    def _put(self, job: Job, **condition: Any) -> Stored:
        key, body = _document_key(job.id), job.encode()
        try:
            with calling("s3:PutObject"):
                answer = self._s3.put_object(
                    Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", **condition
                )
                return Stored(job, answer["ETag"])
        except CallFailed as failed:
            if failed.call.code in TAKEN:
                raise Conflict from failed
            raise


def file_key(job_id: str, name: str) -> str:
    """Return the key of a file beside a job's document."""
    return f"{FOLDER}{job_id}/{name}"


def _document_key(job_id: str) -> str:
    return file_key(job_id, DOCUMENT)
