"""Version ids: 32 characters, of which S3 knows its own.

S3 refuses an id that it never made with InvalidArgument, as was recorded; an id that it made names a version, also one
that is gone. Therefore the last characters of an id are a digest of the others. Separate because versions take an id
when they are written, and histories check the ids of requests.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string

NULL = "null"
_LETTERS = string.ascii_letters + string.digits + "._"
_ID = re.compile(r"[A-Za-z0-9._]{32}")
_RANDOM, _DIGEST = 26, 6


def new() -> str:
    """Return an id that was never used."""
    drawn = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
    return drawn + _digest(drawn)


def is_one(version_id: str) -> bool:
    """Return whether this is `null` or an id that `new` returned."""
    if version_id == NULL:
        return True
    return bool(_ID.fullmatch(version_id)) and _digest(version_id[:_RANDOM]) == version_id[_RANDOM:]


def _digest(drawn: str) -> str:
    return "".join(
        _LETTERS[byte % len(_LETTERS)] for byte in hashlib.blake2b(drawn.encode(), digest_size=_DIGEST).digest()
    )
