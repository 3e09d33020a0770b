"""Entries of listings, as tests of a survey write them."""

from replicator.core.rules.matching import Candidate
from replicator.core.rules.rule import Destination, Rule
from replicator.core.verifying.listed import Listed
from replicator.core.versions.version import Entry, EntryKind


def listed(key: str, version_id: str = "v1", body: str = "", *, latest: bool = True) -> Listed:
    """Return a version; its ETag stands for its body."""
    return Listed(key, Entry(version_id, EntryKind.VERSION, 1, f'"{body}"', len(body)), latest, "STANDARD")


def marker(key: str, version_id: str = "m1", *, latest: bool = True) -> Listed:
    """Return a delete marker."""
    return Listed(key, Entry(version_id, EntryKind.MARKER, 1), latest)


def history(text: str, key: str = "k") -> list[Listed]:
    """Return a key's entries, newest first, from their bodies, oldest to newest; `-` is a delete marker."""
    newest = len(text) - 1
    made = [
        marker(key, f"m{at}", latest=at == newest) if body == "-" else listed(key, f"v{at}", body, latest=at == newest)
        for at, body in enumerate(text)
    ]
    return made[::-1]


def candidate(
    destination: str = "west", *, markers: bool = False, tags: frozenset[tuple[str, str]] = frozenset()
) -> Candidate:
    """Return the candidate of one rule for all keys."""
    rule = Rule("r", True, 0, "", tags, Destination(destination), delete_markers=markers)
    return Candidate(destination, (rule,))
