"""What S3 computes of an object's bytes: its ETag, and CRC64NVME, the checksum it stores when none is asked for.

CRC64NVME is the NVM Express polynomial, reflected, all bits set before and inverted after.
"""

from base64 import b64encode
from functools import lru_cache
from hashlib import md5

POLYNOMIAL = 0x9A6C9329AC4BC9B5
_ALL = (1 << 64) - 1


def _row(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value


_TABLE = tuple(_row(value) for value in range(256))


@lru_cache(maxsize=4096)
def etag(body: bytes) -> str:
    """Return the ETag of an object written in one piece without a KMS key, in its quotes."""
    return f'"{md5(body, usedforsecurity=False).hexdigest()}"'


@lru_cache(maxsize=4096)
def crc64nvme(body: bytes) -> str:
    """Return the checksum as S3 writes it: base64 of eight bytes, big end first."""
    value = _ALL
    for byte in body:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 255]
    return b64encode((value ^ _ALL).to_bytes(8, "big")).decode()
