"""What a resync would send, counted by the same survey and selection, and what that costs. Sends nothing."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from replicator.core.deciding.target import Target
from replicator.core.verifying.listed import Span

from s3replicator.formatting import count, duration, size
from s3replicator.jobs.completion_report import Named
from s3replicator.jobs.job import Engine, Job, Totals
from s3replicator.jobs.tools import Tools, now
from s3replicator.output import Output
from s3replicator.resync.prices import PRICED, Estimate, Workload, estimate
from s3replicator.resync.selecting import Selector
from s3replicator.resync.sending import Sender


@dataclass(slots=True)
class _Counting:
    """Keeps counts only."""

    totals: Totals = field(default_factory=Totals)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, _named: Sequence[Named], added: Totals, _left: Sequence[Span]) -> None:
        with self._lock:
            self.totals = self.totals.plus(keys=added.keys, equal=added.equal, sent=added.sent, bytes=added.bytes)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would be sent, and what it takes."""

    job: Job
    totals: Totals
    estimate: Estimate

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "bucket": self.job.bucket,
            "dry_run": True,
            "engine": str(self.job.engine),
            "keys": self.totals.keys,
            "equal": self.totals.equal,
            "versions": self.totals.sent,
            "bytes": self.totals.bytes,
            "requests": self.estimate.requests,
            "dollars": round(self.estimate.dollars, 4),
            "seconds": round(self.estimate.seconds, 1),
            "prices": PRICED,
        }

    def print_to(self, output: Output) -> None:
        """Print it for people."""
        totals, needs = self.totals, self.estimate
        output.line(f"{count(totals.keys)} keys looked at, {count(totals.equal)} entries need nothing")
        output.line(f"would send {count(totals.sent)} versions and delete markers ({size(totals.bytes)})")
        cost = f"${needs.dollars:,.4f}" if needs.dollars < 1 else f"${needs.dollars:,.2f}"
        output.line(
            f"about {count(needs.requests)} requests, {cost} (list prices of {PRICED}), {duration(needs.seconds)}"
        )
        output.line("nothing was sent; what its destination turns out to have is not copied again")


def forecast(job: Job, tools: Tools, selector: Selector, *, region: str, concurrency: int) -> Forecast:
    """Survey a bucket and count. Raises Temporary or Permanent."""
    counting = _Counting()
    sender = Sender(job.bucket, selector, (), None, counting, now)
    tools.survey(job, sender, everything=job.selection.is_complete).run()
    rules = tools.rules(job.bucket, job.selection).rules
    targets = {Target(each.destination.bucket, each.destination.account or "") for each in rules if each.enabled}
    chosen = [each for each in targets if each.bucket in (job.selection.destinations or (each.bucket,))]
    far = sum(tools.services.buckets.describe(each).region != region for each in chosen)
    totals = counting.totals
    work = Workload(
        totals.sent,
        totals.bytes,
        totals.keys * (1 + len(chosen)),
        len(chosen),
        far,
        concurrency,
        is_batch=job.engine is Engine.BATCH,
    )
    return Forecast(job, totals, estimate(work))
