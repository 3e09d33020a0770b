"""Which source bucket takes more of the change queue than its share, by what was received of each lately.

A queue delivers the oldest first, so that a bucket with very many changes keeps all others waiting. SQS tells senders
apart by message groups, but S3 names none. Separate from holding changes back (flows/change/shares.py).
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
"""

from collections.abc import Mapping

WINDOW = 200
"""Changes that are looked back at."""
LEAST = 100
"""Changes below which nothing is concluded: two buckets that are equally busy look so only after some."""
MOST = 0.6
"""The share that no bucket may exceed, however few others there are."""
TIMES = 1.5
"""A bucket may take so much more than the others take on average."""


def exceeds_share(bucket: str, received: Mapping[str, int], least: int = LEAST) -> bool:
    """Return whether a bucket takes more than its share.

    received: changes of each bucket that had some, lately. least: of all, before anything is concluded. Where buckets
    are about equally busy, none does. One that is alone always does: who asks for fairness has others.
    """
    total = sum(received.values())
    return total >= least and received.get(bucket, 0) > total * min(MOST, TIMES / len(received))
