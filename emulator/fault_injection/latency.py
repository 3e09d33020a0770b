"""S3's latency: a fixed time within a Region, another one between Regions, and a time for each byte of a copy.

S3 reads and writes all bytes of a copy while the caller waits, CopyObject up to 5 GB of them:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.calls.call import Call


@dataclass
class Latency:
    """Milliseconds that an S3 request within a Region and between two Regions takes.

    `copy_mb_per_s`: megabytes that one CopyObject or UploadPartCopy moves in a second; 0: any number in no time.
    """

    local_ms: float = 0.0
    cross_region_ms: float = 0.0
    copy_mb_per_s: float = 0.0

    def __bool__(self) -> bool:
        """Return whether any latency is set."""
        return bool(self.local_ms or self.cross_region_ms)

    def seconds(self, call: Call, bucket_region: str | None, source_region: str | None) -> float:
        """Return the delay of a call.

        Between Regions are copies from another Region, and calls of a function to a bucket outside its Region.
        """
        if call.service != "s3":
            return 0.0
        bucket_region = bucket_region or call.region
        far = (source_region not in (None, bucket_region)) or (call.principal.region not in ("", bucket_region))
        return (self.cross_region_ms if far else self.local_ms) / 1000

    def copy_seconds(self, size: int) -> float:
        """Return how long one request takes to copy this many bytes."""
        return size / (self.copy_mb_per_s * 1e6) if self.copy_mb_per_s else 0.0
