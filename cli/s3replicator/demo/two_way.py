"""The two-way part: both sides write one key at once, one side deletes, and the echoes of the replicas are counted."""

import json
from dataclasses import dataclass
from typing import Any

from emulator.running import Running
from s3replicator.demo.world import EAST, NOTES_EAST, NOTES_WEST, REPLICATOR_EAST, REPLICATOR_WEST, WEST

CONTESTED, DELETED = "plan.txt", "old-plan.txt"
SIDES = ((NOTES_EAST, EAST), (NOTES_WEST, WEST))
ECHO = "SourceIsReplica"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a history: what it is, and how it got there, which is unknown for a delete marker."""

    what: str
    came: str = ""


@dataclass(frozen=True, slots=True)
class Echoes:
    """How many events about a replicator's own writes a filter dropped, and how many a function met with a HEAD."""

    filtered: int
    heads: int


def conflict(emulator: Running) -> None:
    """Write the same key on both sides before either can see the other's version."""
    for (bucket, region), text in zip(SIDES, ("let us meet in the east", "let us meet in the west"), strict=True):
        emulator.client("s3", region).put_object(Bucket=bucket, Key=CONTESTED, Body=text.encode())


def write_and_delete(emulator: Running, timeout: float) -> bool:
    """Write in the east, wait until the replica is in the west, and delete it there. Return whether that finished."""
    emulator.client("s3", EAST).put_object(Bucket=NOTES_EAST, Key=DELETED, Body=b"never mind")
    arrived = emulator.idle(timeout)
    emulator.client("s3", WEST).delete_object(Bucket=NOTES_WEST, Key=DELETED)
    return emulator.idle(timeout) and arrived


def history(emulator: Running, bucket: str, region: str, key: str) -> list[Entry]:
    """Read a key's entries, newest first."""
    s3 = emulator.client("s3", region)
    answer = s3.list_object_versions(Bucket=bucket, Prefix=key)
    entries = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
    order = [entry["VersionId"] for entry in sorted(entries, key=lambda entry: not entry["IsLatest"])]
    by_id = {entry["VersionId"]: entry for entry in entries}
    return [_entry(s3, bucket, key, by_id[version_id]) for version_id in order]


def _entry(s3: Any, bucket: str, key: str, entry: dict[str, Any]) -> Entry:
    if "ETag" not in entry:
        return Entry("delete marker")
    answer = s3.get_object(Bucket=bucket, Key=key, VersionId=entry["VersionId"])
    origin = answer["Metadata"].get("replication-origin", "").partition("/")[0]
    came = {"": "written here", bucket: "put back on top"}.get(origin, "replicated")
    return Entry(repr(answer["Body"].read().decode()), came)


def echoes(emulator: Running) -> Echoes:
    """Count the events of replicas that were dropped before they invoked a function, and those that were not."""
    stacks = (REPLICATOR_EAST, REPLICATOR_WEST)
    heads = sum(_reason(text) == ECHO for stack in stacks for text in emulator.logs(stack, "ReplicateFunction"))
    return Echoes(sum(emulator.host.functions.filtered[f"{stack}-replicate"] for stack in stacks), heads)


def _reason(text: str) -> str:
    try:
        line = json.loads(text)
    except ValueError:
        return ""
    return str(line.get("message", "")).rpartition(" ")[2] if isinstance(line, dict) else ""
