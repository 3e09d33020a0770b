"""How far a job is, in words and as a share: the same for a bar in a terminal, for plain lines and for `jobs show`."""

from dataclasses import dataclass

from s3replicator.formatting import count, duration, size
from s3replicator.jobs.job import Job, State

MIN_SECONDS = 1.0
"""Before that, a rate says nothing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. done, total: versions; total is 0 while nobody knows it. rate: versions a second."""

    text: str
    done: int
    total: int
    rate: float = 0.0

    @property
    def seconds_left(self) -> float | None:
        """Return an estimate, None if there is none."""
        return (self.total - self.done) / self.rate if self.rate and self.total else None

    def __str__(self) -> str:
        """Return one line."""
        rate = f", {self.rate:.0f} a second" if self.rate else ""
        left = self.seconds_left
        return f"{self.text}{rate}" + (f", about {duration(left)} left" if left else "")


def progress_of(job: Job, now: int, waiting: int | None = None, since: tuple[int, int] | None = None) -> Progress:
    """Return how far a job is. now: epoch milliseconds.

    waiting: messages that the queues hold, if that was counted. since: an earlier count of what is done, and its time.
    """
    totals = job.totals
    if not job.is_sent:
        done, total = totals.sent, 0
        text = f"{count(totals.keys)} keys looked at, {count(totals.sent)} versions sent ({size(totals.bytes)})"
    elif job.state.is_final:
        done = total = totals.succeeded + totals.failed
        text = f"{count(totals.succeeded)} versions delivered, {count(totals.failed)} failed"
    else:
        done, total = totals.sent - min(totals.sent, waiting if waiting is not None else totals.waiting), totals.sent
        text = f"{count(done)} of {count(total)} versions processed"
    return Progress(text, done, total, _rate(done, now, since or (0, job.created), is_final=job.state.is_final))


def _rate(done: int, now: int, since: tuple[int, int], *, is_final: bool) -> float:
    seconds = (now - since[1]) / 1000
    return 0.0 if is_final or seconds < MIN_SECONDS else max(0, done - since[0]) / seconds


def state_in_words(job: Job, now: int) -> str:
    """Return a job's state, and whether somebody drives it."""
    if job.state.is_final or job.state is State.CANCELLING:
        return f"{job.state}" + (f": {job.why}" if job.why else "")
    if job.driver and job.driver.until > now:
        return f"{job.state}, driven by {job.driver.name}"
    return f"{job.state}, driven by nobody: run the same command again"
