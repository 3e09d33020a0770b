"""All tags of a replica, when it is copied and when the tags of its version change.

Separate from the copy and from later changes, so that both give a replica the same tags.
"""

from collections.abc import Mapping

from replicator.core.outcomes.outcome import Permanent, Reason
from replicator.core.versions.origin import MARK, SOURCE_STATUSES, STATUS_TAG, STATUS_TAG_VALUE, TAG_LIMIT


def replica_tags(tags: Mapping[str, str], *, status_tag: bool, mark: str = "") -> dict[str, str]:
    """Return the version's tags, the mark if there is one, and the status tag if the rule asks for it.

    What the stack itself tags sources with is not replicated, a status tag of a user only as long as there is room.
    Raises Permanent if there is no room for the mark.
    """
    wanted = {name: value for name, value in tags.items() if name != STATUS_TAG or value not in SOURCE_STATUSES}
    if mark:
        wanted[MARK] = mark
    if len(wanted) > TAG_LIMIT:
        wanted.pop(STATUS_TAG, None)
    if len(wanted) > TAG_LIMIT:
        raise Permanent(Reason.NO_ROOM, "the mark of the replica is a tag, and the version has 10 tags now")
    if status_tag and (STATUS_TAG in wanted or len(wanted) < TAG_LIMIT):
        wanted[STATUS_TAG] = STATUS_TAG_VALUE
    return wanted
