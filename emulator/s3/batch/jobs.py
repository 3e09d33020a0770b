"""Jobs of S3 Batch Operations, and the states through which they go.

Priorities count among the jobs of one account and Region. AWS does not say whether jobs of the same priority run side
by side; here they do.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-priority.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobDescriptor.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from emulator.calls.answers import S3Error
from emulator.state import active

FINISHED = frozenset({"Complete", "Failed", "Cancelled"})
STATES: Mapping[str, frozenset[str]] = {
    "New": frozenset({"Preparing", "Cancelling"}),
    "Preparing": frozenset({"Ready", "Suspended", "Failing", "Cancelling"}),
    "Suspended": frozenset({"Ready", "Cancelling"}),
    "Ready": frozenset({"Active", "Cancelling"}),
    "Active": frozenset({"Pausing", "Completing", "Failing", "Cancelling"}),
    "Pausing": frozenset({"Paused", "Cancelling"}),
    "Paused": frozenset({"Active", "Cancelling"}),
    "Completing": frozenset({"Complete", "Failing"}),
    "Failing": frozenset({"Failed"}),
    "Cancelling": frozenset({"Cancelled", "Failing"}),
    **dict.fromkeys(FINISHED, frozenset()),
}
"""Every state, with those that may follow. A report that cannot be written makes a job fail that would have ended."""
_WANTS_TO_RUN = frozenset({"Ready", "Active", "Pausing", "Paused"})


class Unusable(Exception):
    """The job cannot run: the failure code, and why. The codes are the emulator's own: AWS lists none."""


@dataclass(frozen=True)
class Line:
    """One line. `key` is form-encoded. `version_id`: None if the manifest has no version ids, perhaps empty if it has.

    Without version ids, a line means the current version when its task runs.
    """

    bucket: str
    key: str
    version_id: str | None = None


@dataclass
class Job:
    """One job. `document`: what CreateJob was asked for, as parsed XML. `failure`: code and reason.

    `changed` guards it, and is notified of each change of its state. `generated`: where its generated manifest is.
    `lines`: what its manifest says, once it is prepared.
    """

    account: str
    region: str
    document: Mapping[str, Any]
    changed: threading.Condition = field(default_factory=threading.Condition, compare=False)
    id: str = field(default_factory=lambda: str(uuid4()))
    status: str = "New"
    priority: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    suspended: datetime | None = None
    ended: datetime | None = None
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    failure: tuple[str, str] | None = None
    why: str = ""
    generated: Mapping[str, str] | None = None
    lines: list[Line] = field(default_factory=list, repr=False)
    _active_seconds: float = 0.0
    _active_since: float | None = None

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
    def function_arn(self) -> str:
        """The ARN of its function, which CreateJob may have been given by its name."""
        given = str(self.invoke["FunctionArn"])
        return given if given.startswith("arn:") else f"arn:aws:lambda:{self.region}:{self.account}:function:{given}"

    @property
    def report(self) -> Mapping[str, Any]:
        """Where its completion report goes."""
        found: Mapping[str, Any] = self.document["Report"]
        return found

    @property
    def generator(self) -> Mapping[str, Any] | None:
        """The S3JobManifestGenerator that makes its manifest; None if it names a manifest."""
        found: Mapping[str, Any] = self.document.get("ManifestGenerator") or {}
        return found.get("S3JobManifestGenerator")

    @property
    def must_be_confirmed(self) -> bool:
        """Whether it waits for its confirmation before it runs."""
        return is_true(self.document.get("ConfirmationRequired"))

    @property
    def active_seconds(self) -> int:
        """For how long it has been Active."""
        since = self._active_since
        return int(self._active_seconds + (time.monotonic() - since if since is not None else 0))

    def move(self, status: str) -> bool:
        """Enter a state. Return False, and change nothing, if that state cannot follow the present one."""
        with self.changed:
            if status not in STATES[self.status]:
                return False
            self._measure(status)
            self.status = status
            if status == "Suspended":
                self.suspended = datetime.now(UTC)
            if status in FINISHED:
                self.ended = datetime.now(UTC)
            self.changed.notify_all()
            return True

    def fail(self, code: str, reason: str) -> None:
        """Enter the state Failing, for a reason."""
        with self.changed:
            if self.move("Failing"):
                self.failure = (code, reason)

    def _measure(self, status: str) -> None:
        if self._active_since is not None:
            self._active_seconds += time.monotonic() - self._active_since
        self._active_since = time.monotonic() if status == "Active" else None


def is_true(value: Any) -> bool:
    """Return whether a boolean of a request is true."""
    return str(value).lower() == "true"


class Jobs:
    """The jobs of one emulator."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._tokens: dict[tuple[str, str, str], Job] = {}

    def add(self, job: Job, token: str) -> Job:
        """Add a job; return the one that was created with the same token before. Raises IdempotencyException."""
        with self.changed:
            earlier = self._tokens.setdefault((job.account, job.region, token), job)
            if earlier.document != job.document:
                raise S3Error(400, "IdempotencyException", "The token was used for another job.")
            self._jobs[earlier.id] = earlier
        return earlier

    def get(self, job_id: str, account: str, region: str) -> Job:
        """Return a job of an account and Region. Raises NoSuchJob."""
        job = self._jobs.get(job_id)
        if job is None or (job.account, job.region) != (account, region):
            raise S3Error(404, "NoSuchJob", "The specified job does not exist.")
        return job

    def newest_first(self, account: str, region: str) -> list[Job]:
        """Return the jobs of an account and Region."""
        mine = [job for job in list(self._jobs.values()) if (job.account, job.region) == (account, region)]
        return sorted(mine, key=lambda job: (job.created, job.id), reverse=True)

    def outranked(self, job: Job) -> bool:
        """Return whether a job with a higher priority runs, or will as soon as it may."""
        others = self.newest_first(job.account, job.region)
        return any(each.priority > job.priority and each.status in _WANTS_TO_RUN for each in others)


def jobs() -> Jobs:
    """Return the jobs of the running emulator."""
    found: Jobs = active().__dict__.setdefault("batch_jobs", Jobs())
    return found
