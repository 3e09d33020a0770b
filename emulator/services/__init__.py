"""Services that moto imitates but for a few points: one module each, which patches moto where AWS differs.

Importing this package declares the patches; `emulator.patching` applies them.
"""

from emulator.services import (
    athena,
    cloudwatch,
    event_source_requests,
    event_sources,
    eventbridge,
    iam,
    kms,
    queue_attributes,
    queue_requests,
    sqs,
)

__all__ = [
    "athena",
    "cloudwatch",
    "event_source_requests",
    "event_sources",
    "eventbridge",
    "iam",
    "kms",
    "queue_attributes",
    "queue_requests",
    "sqs",
]
