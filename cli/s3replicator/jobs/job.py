"""A job: what an operator asked for about existing objects, how far it is, and who drives it. Pure values.

The document of a job is all that its next driver needs: `left` are the keys that were not looked at yet. It is stored
with conditions (job_store.py), so that of two drivers one goes on.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from replicator.core.verifying.listed import Span

from s3replicator.jobs.selection import Selection

LEASE_MS = 30_000
"""How long a driver may be silent before another may go on."""


class State(StrEnum):
    """S3's own words for the states of a job (S3 user guide, "Tracking job status and completion reports")."""

    PREPARING = "Preparing"
    READY = "Ready"
    ACTIVE = "Active"
    COMPLETE = "Complete"
    FAILED = "Failed"
    CANCELLING = "Cancelling"
    CANCELLED = "Cancelled"

    @property
    def is_final(self) -> bool:
        """Return whether nothing happens any more."""
        return self in {State.COMPLETE, State.FAILED, State.CANCELLED}


class Engine(StrEnum):
    """What brings the versions to the functions."""

    QUEUE = "queue"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who drives a job: a name that people know, and until when nobody else may. Epoch milliseconds."""

    name: str
    until: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of a job. keys: looked at. equal: entries that need nothing. sent, bytes: asked for, and their size.

    waiting: sent, and not known to be delivered. succeeded, failed: once that is known.
    """

    keys: int = 0
    equal: int = 0
    sent: int = 0
    bytes: int = 0
    waiting: int = 0
    succeeded: int = 0
    failed: int = 0

    def plus(self, **more: int) -> "Totals":
        """Return the counts with something added."""
        return replace(self, **{name: getattr(self, name) + count for name, count in more.items()})


@dataclass(frozen=True, slots=True)
class Job:
    """One job. Times: epoch milliseconds, 0 if not yet. left: what was not looked at yet; empty once all is sent.

    segments: how many files name what was sent. manifest: where S3 gets the versions from. batch_id: of S3's own job.
    why: the reason of its state.
    """

    id: str
    bucket: str
    engine: Engine
    selection: Selection
    state: State = State.ACTIVE
    created: int = 0
    ended: int = 0
    left: tuple[Span, ...] = (Span(),)
    segments: int = 0
    totals: Totals = field(default_factory=Totals)
    driver: Lease | None = None
    manifest: str = ""
    batch_id: str = ""
    why: str = ""

    @property
    def is_sent(self) -> bool:
        """Return whether nothing is left to ask for."""
        return not self.left

    def is_driven(self, now: int, name: str = "") -> bool:
        """Return whether somebody else than `name` drives it."""
        return self.driver is not None and self.driver.until > now and self.driver.name != name

    def is_same(self, bucket: str, selection: Selection) -> bool:
        """Return whether it was asked for in the same words."""
        return (self.bucket, self.selection) == (bucket, selection)

    def driven_by(self, name: str, now: int) -> "Job":
        """Return the job with its lease taken or renewed."""
        return replace(self, driver=Lease(name, now + LEASE_MS))

    def ended_as(self, state: State, now: int, why: str = "") -> "Job":
        """Return the job in a final state; nobody drives it any more."""
        return replace(self, state=state, ended=now, driver=None, why=why)

    def encode(self) -> bytes:
        """Return its document."""
        document = {
            **asdict(self),
            "selection": self.selection.document(),
            "left": [[span.after, span.until] for span in self.left],
        }
        return json.dumps(document, ensure_ascii=True).encode()


def decode(text: bytes) -> Job:
    """Read a document. Raises ValueError for anything else."""
    try:
        return _read(json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the document of a job: {error}") from error


def _read(document: Mapping[str, Any]) -> Job:
    driver = document.get("driver")
    return Job(
        **{
            **document,
            "engine": Engine(document["engine"]),
            "state": State(document["state"]),
            "selection": Selection.read(document["selection"]),
            "left": tuple(Span(after, until) for after, until in document["left"]),
            "totals": Totals(**document["totals"]),
            "driver": Lease(**driver) if driver else None,
        }
    )


def new_id(now: int, chance: str) -> str:
    """Return an id that sorts by time. now: epoch milliseconds; chance: a few characters that make it unique."""
    return f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%S}-{chance}"
