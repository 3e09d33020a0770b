"""Jobs of S3 Batch Operations, and the states through which they go.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobDescriptor.html
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from emulator.calls.answers import S3Error
from emulator.state import active

FINISHED = ("Complete", "Failed", "Cancelled")


@dataclass
class Job:
    """One job. `document`: what CreateJob was asked for, as parsed XML. `failure`: code and reason."""

    account: str
    region: str
    document: Mapping[str, Any]
    id: str = field(default_factory=lambda: str(uuid4()))
    status: str = "New"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    failure: tuple[str, str] | None = None
    why: str = ""

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:s3:{self.region}:{self.account}:job/{self.id}"

    @property
    def role(self) -> str:
        """The ARN of the role that it works as."""
        return str(self.document["RoleArn"])

    @property
    def invoke(self) -> Mapping[str, Any]:
        """The operation LambdaInvoke."""
        found: Mapping[str, Any] = self.document["Operation"]["LambdaInvoke"]
        return found

    @property
    def report(self) -> Mapping[str, Any]:
        """Where its completion report goes."""
        found: Mapping[str, Any] = self.document["Report"]
        return found

    def end(self, status: str) -> None:
        """Enter a final state."""
        self.status, self.ended = status, datetime.now(UTC)


class Jobs:
    """The jobs of one emulator."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._tokens: dict[str, Job] = {}
        self._lock = threading.Lock()

    def add(self, job: Job, token: str) -> Job:
        """Add a job; return the one that was created with the same token before. Raises IdempotencyException."""
        with self._lock:
            earlier = self._tokens.setdefault(token, job)
            if earlier.document != job.document:
                raise S3Error(400, "IdempotencyException", "The token was used for another job.")
            self._jobs[earlier.id] = earlier
        return earlier

    def get(self, job_id: str) -> Job:
        """Return a job. Raises NoSuchJob."""
        if job_id not in self._jobs:
            raise S3Error(404, "NoSuchJob", "The specified job does not exist.")
        return self._jobs[job_id]

    def newest_first(self) -> list[Job]:
        """Return all jobs."""
        return sorted(self._jobs.values(), key=lambda job: job.created, reverse=True)


def jobs() -> Jobs:
    """Return the jobs of the running emulator."""
    found: Jobs = active().__dict__.setdefault("batch_jobs", Jobs())
    return found
