"""What it means that S3 denies a request: the reason codes of the product, by the names of calls.

Separate from objects.py because points need it, too. The contract suite holds it against the adapter.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from replicator.core.outcomes.outcome import Permanent, Reason

from tests.fakes.points import Call

T = TypeVar("T")

DENIED: Mapping[tuple[str, str], Reason] = {
    ("HEAD", "source"): Reason.SRC_HEAD_DENIED,
    ("HEAD", "destination"): Reason.DST_GET_DENIED,
    ("LIST", "source"): Reason.SRC_BUCKET_DENIED,
    ("LIST", "destination"): Reason.DST_BUCKET_DENIED,
    ("GET TAGS", "source"): Reason.SRC_TAGS_DENIED,
    ("GET TAGS", "destination"): Reason.DST_GET_DENIED,
    ("GET ACL", "source"): Reason.SRC_ACL_DENIED,
    ("GET ACL", "destination"): Reason.DST_GET_DENIED,
    ("LIST ANNOTATIONS", "source"): Reason.SRC_ANNOTATIONS_DENIED,
    ("LIST ANNOTATIONS", "destination"): Reason.DST_GET_DENIED,
    ("GET ANNOTATION", "source"): Reason.SRC_ANNOTATIONS_DENIED,
    ("GET ANNOTATION", "destination"): Reason.DST_GET_DENIED,
    ("PUT TAGS", "source"): Reason.SRC_PUT_TAGS_DENIED,
    ("PUT TAGS", "destination"): Reason.DST_PUT_TAGS_DENIED,
    ("PUT ACL", "source"): Reason.SRC_PUT_ACL_DENIED,
    ("PUT ACL", "destination"): Reason.DST_PUT_ACL_DENIED,
    ("PUT RETENTION", "source"): Reason.SRC_PUT_RETENTION_DENIED,
    ("PUT RETENTION", "destination"): Reason.DST_PUT_RETENTION_DENIED,
    ("PUT LEGAL HOLD", "source"): Reason.SRC_PUT_LEGAL_HOLD_DENIED,
    ("PUT LEGAL HOLD", "destination"): Reason.DST_PUT_LEGAL_HOLD_DENIED,
    ("ANNOTATE", "source"): Reason.SRC_PUT_ANNOTATIONS_DENIED,
    ("ANNOTATE", "destination"): Reason.DST_PUT_ANNOTATIONS_DENIED,
    ("REMOVE ANNOTATION", "source"): Reason.SRC_PUT_ANNOTATIONS_DENIED,
    ("REMOVE ANNOTATION", "destination"): Reason.DST_PUT_ANNOTATIONS_DENIED,
}
"""By operation and side."""


class Denying:
    """Points at which every call is denied."""

    def call(self, call: Call, effect: Callable[[], T]) -> T:
        del effect
        raise Permanent(DENIED[call.operation, call.side], "AccessDenied 403")
