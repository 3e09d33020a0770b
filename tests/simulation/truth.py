"""What really happened, as no request can show it: who wrote an entry, and what it stands for.

The checks use this and never the product's own marks, so that a wrong mark cannot hide itself.
"""

from tests.fakes.s3 import LIFECYCLE, USER, Bucket, MemoryS3
from tests.fakes.stored import Stored


def is_native(stored: Stored) -> bool:
    """Return whether a user, or lifecycle, wrote it."""
    return stored.author in {USER, LIFECYCLE}


def root(stored: Stored) -> Stored:
    """Return the native version that an entry stands for; a native entry stands for itself."""
    while not is_native(stored) and stored.parent is not None:
        stored = stored.parent
    return stored


def natives(bucket: Bucket, key: str) -> list[Stored]:
    """Return what users wrote, oldest first."""
    return [stored for stored in bucket.history(key) if is_native(stored)]


def shown(bucket: Bucket, key: str) -> Stored | None:
    """Return the native version that readers see now; None if they see nothing."""
    current = bucket.current(key)
    return root(current) if current and current.is_version else None


def ever(s3: MemoryS3, bucket: str, key: str) -> list[Stored]:
    """Return all entries that a history ever had, those deleted for good included."""
    gone = [stored for name, its_key, stored, _ in s3.destroyed if (name, its_key) == (bucket, key)]
    return sorted([*s3.buckets[bucket].history(key), *gone], key=lambda stored: stored.place)


def saw(s3: MemoryS3, late: Stored, bucket: str, key: str, early: Stored) -> bool:
    """Return whether `early` was there, itself or as a replica, in the bucket where `late` was begun to be written."""
    return any(
        stored.place < late.place and stored.is_version and root(stored) is early for stored in ever(s3, bucket, key)
    )
