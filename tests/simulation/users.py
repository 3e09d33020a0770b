"""What users do while replication runs: one function per act, each a line of the story."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tests.fakes.s3 import MemoryS3
from tests.fakes.stored import Content, Stored
from tests.simulation.aspects import AspectUsers, edited
from tests.simulation.choices import Choices
from tests.simulation.large import BODIES, SCALE
from tests.simulation.setting import Setting
from tests.simulation.stacks import Stack
from tests.simulation.truth import is_native

Tell = Callable[[str, str], None]

FULL = {"note": "x" * 2040}
"""User metadata that leaves no room for a mark: the mark must be in the tags."""


@dataclass(slots=True)
class Users:
    """Everybody who is not a replicator."""

    setting: Setting
    s3: MemoryS3
    stacks: Mapping[str, Stack]
    choices: Choices
    tell: Tell
    retagged: set[int]
    ask: Callable[[str, str], None]
    written: int = 0
    by_name: Mapping[str, Callable[[str, str], None]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_name = {
            "write": self._write,
            "large": self._write_large,
            "upload": self._upload,
            "delete": self._delete,
            "expire": self._expire,
            "destroy": self._destroy,
            "undelete": self._undelete,
            "full": self._write_full,
            "cold": self._start_cold,
            "tag": self._tag,
            "archive": self._write_archived,
            "restore": self._restore,
            "forget": self._forget,
            "lose": self._lose,
            "edit": self._edit,
            "ask": self.ask,
            **AspectUsers(self.setting, self.s3, self.choices, self.tell, self.retagged).by_name,
        }

    def act(self) -> None:
        """Do one thing somewhere."""
        self.s3.clock.advance(self.setting.apart)
        act = self.choices.one_of(self.setting.acts)
        bucket = self.choices.one_of(self.setting.writers)
        self.by_name[act](bucket, self.choices.one_of(self.setting.keys))

    def _write(self, bucket: str, key: str) -> None:
        stored = self.s3.put(bucket, key, self._content())
        self._told(f"writes {bucket}/{key}", stored)

    def _write_archived(self, bucket: str, key: str) -> None:
        stored = self.s3.put(bucket, key, replace(self._content(), storage_class="DEEP_ARCHIVE"))
        self._told(f"writes {bucket}/{key}, archived", stored)

    def _write_large(self, bucket: str, key: str) -> None:
        self.written += 1
        body = self.choices.one_of(BODIES).format(self.written).encode()
        stored = self.s3.put(bucket, key, Content(body, scale=SCALE))
        self._told(f"writes {bucket}/{key}, large", stored)

    def _upload(self, bucket: str, key: str) -> None:
        """Complete a multipart upload: S3 gives the object the time at which the upload began."""
        seconds = self.choices.one_of((1, 10, 1000, 5000))
        content = Content(self._body(), parts=2)
        begun = self.s3.clock.now - seconds
        stored = self.s3.put(bucket, key, content, name="ObjectCreated:CompleteMultipartUpload", begun=begun)
        self._told(f"completes an upload of {bucket}/{key} begun {seconds} s ago", stored)

    def _delete(self, bucket: str, key: str) -> None:
        stored = self.s3.delete(bucket, key)
        if stored:
            self._told(f"deletes {bucket}/{key}", stored)

    def _expire(self, bucket: str, key: str) -> None:
        current = self.s3.buckets[bucket].current(key)
        if current and current.is_version:
            self.tell("lifecycle", f"expires {bucket}/{key}")
            self.s3.expire(bucket, key)

    def _destroy(self, bucket: str, key: str) -> None:
        if stored := self._any_version(bucket, key):
            self.tell("user", f"deletes {bucket}/{key} {stored.version_id} for good")
            self.s3.destroy(bucket, key, stored.version_id)

    def _undelete(self, bucket: str, key: str) -> None:
        """Remove a delete marker: if it is on top, the version below it is shown again."""
        markers = [stored for stored in self.s3.buckets[bucket].history(key) if not stored.is_version]
        if markers:
            marker = self.choices.one_of(markers[::-1])
            self.tell("user", f"removes the delete marker {marker.version_id} of {bucket}/{key}")
            self.s3.destroy(bucket, key, marker.version_id)

    def _write_full(self, bucket: str, key: str) -> None:
        """Write a version whose replicas have their mark in a tag."""
        stored = self.s3.put(bucket, key, Content(self._body(), metadata=FULL, tags=self._tags()))
        self._told(f"writes {bucket}/{key}, with full metadata", stored)

    def _start_cold(self, bucket: str, key: str) -> None:
        """Let all containers start anew, with no memory of marks; write."""
        self.tell("Lambda", "starts new containers")
        for stack in self.stacks.values():
            stack.consumer.services.marks._known.clear()
        self._write(bucket, key)

    def _tag(self, bucket: str, key: str) -> None:
        if stored := self._any_version(bucket, key):
            tags = self._tags() or {"other": "tag"}
            self.tell("user", f"tags {bucket}/{key} {stored.version_id} {tags}")
            self.retagged.add(stored.serial)
            self.s3.tag(bucket, key, stored.version_id, tags)

    def _restore(self, bucket: str, key: str) -> None:
        """Make an older version current again as users do: copy it onto its own key, metadata and all.

        A replica of the last hour would be taken for itself, and identical bytes for each other: documented limits. So
        the copy is made in parts, whose number shows in its ETag.
        """
        old = self._any_version(bucket, key)
        if old and (is_native(old) or old.begun < self.s3.clock.now - 3600):
            self.written += 1
            content = replace(old.content, parts=1 + self.written)
            stored = self.s3.put(bucket, key, content, name="ObjectCreated:Copy", parent=old)
            self._told(f"copies {bucket}/{key} {old.version_id} onto itself", stored)

    def _edit(self, bucket: str, key: str) -> None:
        """Edit the metadata of a version, or of a replica, by a copy onto itself: it is a new version."""
        if old := self._any_version(bucket, key):
            self.written += 1
            content, name = edited(old.content, self.written), "ObjectCreated:Copy"
            notes = self.s3.annotations.get((bucket, key, old.version_id))
            stored = self.s3.put(bucket, key, content, name=name, parent=old, annotations=notes)
            self._told(f"edits the metadata of {bucket}/{key} {old.version_id}", stored)

    def _forget(self, bucket: str, key: str) -> None:
        """Let the journal's entries of the key run out, as their TTL does in the end; write if none is that old.

        It is thrice the longest that a message can stay on a queue: what is still under way is younger than that.
        """
        self._drop_entries(bucket, key, even_if_awaited=False)

    def _lose(self, bucket: str, key: str) -> None:
        """Lose the journal's entries of the key, whatever is under way; write if there is none yet."""
        self._drop_entries(bucket, key, even_if_awaited=True)

    def _drop_entries(self, bucket: str, key: str, *, even_if_awaited: bool) -> None:
        dropped = [
            (stack, pair)
            for stack in self.stacks.values()
            for pair, memory in stack.journal.entries.items()
            if pair.key == key and (even_if_awaited or not stack.awaits_as_old(memory.settled))
        ]
        for stack, pair in dropped:
            self.tell("journal", f"forgets {pair.source}/{key} -> {pair.destination}")
            stack.journal.lose(pair)
        if not dropped:
            self._write(bucket, key)

    def _any_version(self, bucket: str, key: str) -> Stored | None:
        versions = [stored for stored in self.s3.buckets[bucket].history(key) if stored.is_version]
        return self.choices.one_of(versions) if versions else None

    def _content(self) -> Content:
        metadata = FULL if self.choices.chance(3) else {}
        return Content(self._body(), metadata=metadata, tags=self._tags())

    def _body(self) -> bytes:
        self.written += 1
        number = 1 + self.choices.below(2) if self.setting.same_bytes else self.written
        return f"body {number}".encode()

    def _tags(self) -> Mapping[str, str]:
        wanted = next((route.tags for route in self.setting.routes if route.tags), None)
        if wanted is not None:
            return wanted if self.choices.below(2) else {}
        return {"team": "blue"} if self.choices.chance(10) else {}

    def _told(self, what: str, stored: Stored) -> None:
        kind = stored.content.body.decode() if stored.is_version else "delete marker"
        self.tell("user", f"{what}: {stored.version_id} ({kind})")
