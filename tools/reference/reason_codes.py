"""docs/reference/reason-codes.md, from the advice that the command gives."""

from collections.abc import Mapping

from replicator.core.outcomes.outcome import Reason
from s3replicator.advice import FAILED, LATE, LEFT_OUT, SKIPPED, WAITING

from tools.reference.markdown import code, table

INTRODUCTION = """# Reason codes

*For whoever has a failure, or finds a reason in a log. It answers: why was a change skipped, why does it wait, why was
it late, why did it fail, and what can I do about it?*

The reason code is in the log line of every change that is not COMPLETED, in the messages of the dead-letter queue, in
events and metrics, and in what `s3replicator status`, `explain` and `failures list` print. A code that S3 has too
(`failureReason` in its replication events) means the same as there.

The column "side" names the bucket that the reason is about. "What to do" is what `s3replicator failures list` prints.

"""
GROUPS: tuple[tuple[str, str, Mapping[Reason, str]], ...] = (
    ("Skipped", "The change is not replicated, by design. Status SKIPPED.", SKIPPED),
    (
        "Waiting",
        "The change is retried, at first after seconds, then every 7 to 15 minutes. Status PENDING. After about a day "
        "without success it fails with the same reason.",
        WAITING,
    ),
    ("Late", "The change was replicated, but after its threshold. Status COMPLETED.", LATE),
    (
        "Left out",
        "A large object was replicated without its annotations: the log says `annotations left out`, with the reason. "
        "Status COMPLETED.",
        LEFT_OUT,
    ),
    ("Failed", "The change is in the dead-letter queue until somebody redrives it. Status FAILED.", FAILED),
)


def page() -> str:
    """Return the page."""
    return INTRODUCTION + "".join(f"## {title}\n\n{what}\n\n{_table(advice)}" for title, what, advice in GROUPS)


def _table(advice: Mapping[Reason, str]) -> str:
    rows = [
        (code(str(reason)), _side(reason), advice[reason])
        for reason in sorted(advice, key=lambda each: (_side(each), each))
    ]
    return table(("reason", "side", "what to do"), rows)


def _side(reason: Reason) -> str:
    return {"Src": "source", "Dst": "destination"}.get(str(reason)[:3], "-")
