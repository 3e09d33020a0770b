"""The state of an aspect, as comparable values: what two copies of a version must agree on.

Separate from versions, because not everything that a copy has is compared: its status tag and its mark are its own. A
state is divided into fields, each of which is compared and settled for itself.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256

from replicator.core.versions.change import Aspect
from replicator.core.versions.origin import MARK, STATUS_TAG
from replicator.core.versions.version import Grant, Lock

Value = object
"""What a field has: tags or grants, sorted; a retention or an event hold; a legal hold; an annotation's ETag."""
State = Mapping[str, Value]
"""The values of an aspect by field. A field that is missing is None."""

TAGS = "tags"
GRANTS = "acl"
RETENTION = "retention"
LEGAL_HOLD = "legal-hold"
EVENT_HOLD = "event-hold"
NO_HOLD = ("", 0, 0)
"""An event hold is its mode and its duration in days or years: this is none."""
OURS = frozenset({STATUS_TAG, MARK})
"""Tags that belong to each copy: its status and its mark."""


def tag_state(tags: Mapping[str, str]) -> State:
    """Return the state of a version's tags."""
    return {TAGS: tuple(sorted((name, value) for name, value in tags.items() if name not in OURS))}


def grant_state(grants: Iterable[Grant]) -> State:
    """Return the state of a version's ACL."""
    return {GRANTS: tuple(sorted((grant.permission, grant.grantee) for grant in set(grants)))}


def lock_state(lock: Lock) -> State:
    """Return the state of a version's Object Lock."""
    hold = (lock.mode, lock.event_hold_days, lock.event_hold_years) if lock.event_hold else NO_HOLD
    return {RETENTION: (lock.mode, lock.until), LEGAL_HOLD: lock.legal_hold, EVENT_HOLD: hold}


def end_of(until: str) -> float:
    """Return the end of a retention in epoch seconds; 0 if it has none."""
    return datetime.fromisoformat(until).timestamp() if until else 0.0


def annotation_state(etags: Mapping[str, str]) -> State:
    """Return the state of a version's annotations: their ETags by name."""
    return dict(etags)


def digest(value: Value) -> str:
    """Return a short text that stands for a value in marks and in the journal."""
    return "-" if value is None else sha256(repr(value).encode()).hexdigest()[:8]


def field_key(aspect: Aspect, field: str) -> str:
    """Return the name under which the journal keeps a field: annotations may be named like any other field."""
    return f"{aspect}/{field}" if aspect is Aspect.ANNOTATIONS else field
