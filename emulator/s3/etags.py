"""ETags: the MD5 of the bytes, unless they are encrypted with SSE-KMS or SSE-C; those are no digest of the bytes.

They belong to the ciphertext, and the key that encrypts is another one for each object: two copies of an object have
different ETags. What is completed from parts has the MD5 of the parts' ETags, with their number.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.s3.versions import Encryption


def of_bytes(data: bytes, encryption: Encryption) -> str:
    """Return the ETag, without quotes, of bytes that are stored in one piece with this encryption."""
    if encryption.algorithm != "AES256":
        return secrets.token_hex(16)
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def of_parts(etags: Sequence[str]) -> str:
    """Return the ETag, without quotes, of an object from the ETags of its parts."""
    digests = b"".join(bytes.fromhex(etag.strip('"')) for etag in etags)
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(etags)}"
