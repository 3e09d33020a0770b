"""Does the listing of one key prove that a destination has what its rules promise? If not, that is a doubt.

A doubt is no difference yet: ETags of versions that were uploaded in parts, or are encrypted with KMS keys, say nothing
of their bytes, rules may leave versions out, and a version may be on its way.
"""

from collections.abc import Sequence

from replicator.core.rules.matching import Candidate
from replicator.core.verifying.listed import Listed


def is_proved_equal(source: Sequence[Listed], destination: Sequence[Listed], candidate: Candidate) -> bool:
    """Return whether both sides list the same versions in the same order, and show the same kind of entry on top.

    source, destination: the entries of one key, newest first. Delete markers below the top are not compared: a late one
    is written only if it must be on top. If the rule leaves them out, the destination shows the last version.
    """
    if [_identity(each) for each in source if each.entry.is_version] != [
        _identity(each) for each in destination if each.entry.is_version
    ]:
        return False
    return _shown(source, markers=replicates_markers(candidate)) == _shown(destination, markers=True)


def replicates_markers(candidate: Candidate) -> bool:
    """Return whether delete markers are replicated: never under a tag filter, since they have no tags."""
    rule = candidate.select({})
    return rule is not None and rule.delete_markers


def _identity(listed: Listed) -> tuple[str, int]:
    return listed.entry.etag, listed.entry.size


def _shown(entries: Sequence[Listed], *, markers: bool) -> bool:
    """Return whether a user sees an object. Without markers: as if there were none."""
    return any(each.entry.is_version for each in (entries[:1] if markers else entries))
