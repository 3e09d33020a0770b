"""The rule documents that somebody gives for many buckets: a folder of NAME.json, or one file for a pattern of names.

Separate from the commands: here are files and names, nothing about a stack.
"""

from collections.abc import Iterable
from pathlib import Path

from replicator.core.deciding.bucket_names import includes

from s3replicator.output import fail

PLACEHOLDER = b"${SourceBucket}"
SUFFIX = ".json"


def folder_documents(folder: str) -> dict[str, Path]:
    """Return the files of a folder by the bucket that each is for. Ends the command if there are none."""
    try:
        found = {path.name.removesuffix(SUFFIX): path for path in sorted(Path(folder).iterdir()) if _is_document(path)}
    except OSError as error:
        fail(f"cannot read {folder}: {error.strerror}; without FILE, name a folder of NAME{SUFFIX} for bucket NAME")
    if not found:
        fail(f"{folder} has no file NAME{SUFFIX}, for the rules of bucket NAME")
    return found


def pattern_documents(pattern: str, buckets: Iterable[str], text: bytes) -> dict[str, bytes]:
    """Return a document for each bucket that a pattern includes: the same one, with the bucket's name where it asks.

    Ends the command if there is no such bucket.
    """
    found = {bucket: text.replace(PLACEHOLDER, bucket.encode()) for bucket in buckets if includes([pattern], bucket)}
    if not found:
        fail(f"no bucket of the stack's Region matches {pattern}")
    return found


def _is_document(path: Path) -> bool:
    return path.name.endswith(SUFFIX) and not path.name.startswith(".") and path.is_file()
