"""Entries of a whole bucket's listing, and the spans of keys that are listed.

Separate from the history of one key (core/versions): a listing names the key of each entry, and comes in pages.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from replicator.core.versions.version import Entry


class Listed(NamedTuple):
    """One entry of a listing. storage_class: empty for a delete marker. Entries of a key come newest first."""

    key: str
    entry: Entry
    is_latest: bool
    storage_class: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Keys of a bucket: those after `after`, up to `until` and with it, that begin with `prefix`.

    until: None for no end. Keys are compared as text: Python does that by code points, which is the order of their
    UTF-8 bytes, and so that of S3 (S3 user guide, "Listing object keys programmatically"; RFC 3629, section 1).
    """

    after: str = ""
    until: str | None = None
    prefix: str = ""

    def __contains__(self, key: str) -> bool:
        """Return whether a key belongs to it. No key is empty."""
        return key > self.after and key.startswith(self.prefix) and (self.until is None or key <= self.until)

    def under(self, prefix: str) -> "Span | None":
        """Return those of its keys that begin with another prefix; None if there can be none."""
        if not (prefix.startswith(self.prefix) or self.prefix.startswith(prefix)):
            return None
        span = Span(self.after, self.until, max(prefix, self.prefix, key=len))
        return span if span._can_have_keys() else None

    def _can_have_keys(self) -> bool:
        begins = self.after < self.prefix or self.after.startswith(self.prefix)
        return begins and (self.until is None or (self.prefix <= self.until and self.after < self.until))


def covering(prefixes: Iterable[str]) -> Iterator[str]:
    """Yield prefixes in order, without those that begin with another one: each key is listed once."""
    last: str | None = None
    for prefix in sorted(set(prefixes)):
        if last is None or not prefix.startswith(last):
            yield prefix
            last = prefix
