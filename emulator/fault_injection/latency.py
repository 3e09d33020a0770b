"""How long S3 takes to answer: a fixed time inside a Region, another one between two."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.calls.call import Call


@dataclass
class Latency:
    """Milliseconds that an S3 request takes, and those that one between two Regions takes instead."""

    local_ms: float = 0.0
    cross_region_ms: float = 0.0

    def __bool__(self) -> bool:
        """Return whether anything takes time."""
        return bool(self.local_ms or self.cross_region_ms)

    def seconds(self, call: Call, bucket_region: str | None, source_region: str | None) -> float:
        """Return what to wait before answering.

        Between Regions are copies whose source lies elsewhere, and what a function asks of a Region not its own.
        """
        if call.service != "s3":
            return 0.0
        bucket_region = bucket_region or call.region
        far = (source_region not in (None, bucket_region)) or (call.principal.region not in ("", bucket_region))
        return (self.cross_region_ms if far else self.local_ms) / 1000
