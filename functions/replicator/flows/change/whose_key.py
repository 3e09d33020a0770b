"""Whose KMS key a refused copy is about: the error says what is wrong with a key, and not whose it is.

Separate from the adapters because it takes a second bucket: one HEAD asks the source, whose answer needs the source's
key as the copy did. What the source does not confirm stays the destination's.
"""

from replicator.core.deciding.eligibility import key_trouble
from replicator.core.outcomes.outcome import Permanent, Reason, Side
from replicator.core.versions.version import Head
from replicator.flows.ports import Objects

IN_DOUBT = frozenset({Reason.DST_KMS_STATE, Reason.DST_KMS_NOT_FOUND})


def name_side(trouble: Permanent, source: Objects, key: str, version_id: str) -> Permanent:
    """Return the trouble of copying a version with the reason of the side that causes it.

    Raises Temporary or Permanent if the source cannot even be asked.
    """
    head = source.head(key, version_id) if trouble.reason in IN_DOUBT else None
    found = key_trouble(head) if isinstance(head, Head) else None
    return Permanent(found[0], f"{found[1]}: {trouble.detail}", Side.SOURCE) if found else trouble
