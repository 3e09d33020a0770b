"""Bucket names and s3:// addresses as people write them on the command line.

Everything after the bucket's name and its slash is the key, unchanged.
"""

import re

from s3replicator.output import fail

_BUCKET = re.compile(r"[A-Za-z0-9._-]{3,255}")
"""What S3 has ever allowed; names that were created before 2018 may be long and have capitals and underscores."""
_PATTERN = re.compile(r"[A-Za-z0-9._*-]{1,255}")


def bucket_name(text: str, *, pattern: bool = False) -> str:
    """Return the name of a bucket that is given as NAME, s3://NAME or ARN. Ends the command for any other text.

    pattern: the name may have asterisks.
    """
    name = text.removeprefix("s3://").rstrip("/").rpartition(":::")[2]
    if not (_PATTERN if pattern else _BUCKET).fullmatch(name):
        fail(f"'{text}' is not the name of a bucket")
    return name


def bucket_and_key(text: str) -> tuple[str, str]:
    """Return the bucket and the key of s3://BUCKET/KEY. Ends the command if it is no address of an object."""
    bucket, key = _split(text)
    if not bucket or not key:
        fail(f"'{text}' is not the address of an object; write s3://BUCKET/KEY")
    return bucket, key


def bucket_and_optional_key(text: str) -> tuple[str, str]:
    """Return the bucket and the key of s3://BUCKET/KEY, or of s3://BUCKET with an empty key."""
    bucket, key = _split(text)
    if not bucket:
        fail(f"'{text}' is not an address; write s3://BUCKET or s3://BUCKET/KEY")
    return bucket, key


def _split(text: str) -> tuple[str, str]:
    bucket, _, key = text.removeprefix("s3://").partition("/")
    return (bucket, key) if text.startswith("s3://") and _BUCKET.fullmatch(bucket) else ("", "")
