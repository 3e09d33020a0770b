"""Writes a large version: find or start its upload -> copy the missing parts, or send them to the queue -> complete.

The same step of a plan as a single copy, but several functions may work on it. Each finds what others did: the journal
says which upload copies the version, the bucket which of its parts exist. So after a second event, a killed handler or
a lost response the work just continues.
"""

import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from replicator.core.deciding.attempt import Attempt
from replicator.core.deciding.copy import Copy, Guard, Written, check_faithful
from replicator.core.deciding.facts import ABSENT, Absent
from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.outcome import Conflict, Permanent, Reason, Temporary, Trouble
from replicator.core.parts.layout import CopyMethod, Layout, plan_parts, suits
from replicator.core.parts.parts import Cut, PartRange, cut_by
from replicator.core.parts.uploads import CopySource, Part, Upload, UploadCompleted, UploadGone, UploadSpoiled, messages
from replicator.core.versions.change import Change
from replicator.core.versions.version import Head
from replicator.flows.large.annotations import copy_missing, may_try_again
from replicator.flows.large.cleanup import abort_unrecorded
from replicator.flows.large.parts import all_parts, in_lanes
from replicator.flows.large.ports import LargeObjects, Multipart, Uploads
from replicator.flows.ports import Replicas, SideBySide

JUST_NOW = sys.maxsize
"""The time of what the same plan has written: later than the start of any upload."""
_ETAG_PARTS = re.compile(r'-(\d+)"?$')


@dataclass(frozen=True, slots=True)
class Position:
    """Where in its plan a version is written: its guard, and what is below it.

    leads: the plan writes nothing after it, so it must be current. onto: the version id of the entry below; empty for
    nothing. since: when that entry was written, by the destination's clock, epoch seconds.
    """

    guard: Guard
    leads: bool = True
    onto: str = ""
    since: int = 0

    def supersedes(self, upload: Upload) -> bool:
        """Return whether an upload would not be current if it were completed now, although it must be.

        S3 inserts an object where its upload began, so anything that was written since would stay on top of it. Times
        are in whole seconds: with equal ones it is unknown which came first.
        """
        return self.leads and self.onto != upload.onto and self.since >= upload.begun


@dataclass(frozen=True, slots=True)
class LargeWrite:
    """What to write. rule_id: the rule that selected it. preserve: its ETag must stay the same.

    show_pending: records in the journal that the change waits for its parts.
    """

    copy: Copy
    position: Position
    rule_id: str
    preserve: bool
    show_pending: Callable[[str], None]


@dataclass(slots=True)
class LargeWriter:
    """Writes large versions for one attempt. used: there was one to write. bare: replicas without their annotations."""

    multipart: Multipart
    uploads: Uploads
    replicas: Replicas
    attempt: Attempt
    side_by_side: SideBySide
    now: Callable[[], int]
    used: bool = False
    bare: set[str] = field(default_factory=set)

    @property
    def pair(self) -> Pair:
        """The key, its source and its destination."""
        return self.attempt.pair

    def copies_in_parts(self, head: Head, *, preserve: bool) -> bool:
        """Return whether a version is copied in parts. preserve: its ETag must stay the same, and so its parts."""
        taken = self._copies_in_parts(head, preserve=preserve)
        self.used = self.used or taken
        return taken

    def _copies_in_parts(self, head: Head, *, preserve: bool) -> bool:
        if not head.size or head.size > self.multipart.model.single_copy:
            return bool(head.size)
        if head.unseen_metadata:
            return False  # only CopyObject copies metadata that HEAD does not return
        if preserve and not head.encryption.is_kms:
            return _part_count(head.etag) > 0
        return head.size > self.multipart.large

    def may_have_uploads(self, change: Change) -> bool:
        """Return whether there may be uploads for a change: one was written here, or its event says it is large."""
        return self.used or change.size > self.multipart.large

    def write(self, large_write: LargeWrite) -> None:
        """Start or continue the upload of a version; do nothing if one request copies it after all.

        Raises UploadCompleted when it is completed, Temporary while part messages are under way, and Conflict or
        Permanent as usual.
        """
        copy, position = large_write.copy, large_write.position
        source = CopySource(copy.bucket, copy.key, copy.version_id, copy.etag)
        upload, there = self._find(source, position), None
        if upload is None:
            layout = plan_parts(copy.size, self.multipart.model, self._boundaries(large_write, source))
            if layout.method is CopyMethod.ONE_REQUEST:
                return
            upload, there = self._start(large_write, source, layout)
        if there is None:
            there = self._parts(upload)
        missing = upload.missing(there)
        if missing and upload.per_message:
            self._send(upload, missing, large_write)
            done = upload.cut.count - len(missing)
            raise Temporary(Reason.PARTS_UNDER_WAY, f"{done} of {upload.cut.count} parts")
        copied = self._copy_here(upload, missing)
        numbers = {part.number for part in copied}
        parts = [*(part for part in there if part.number not in numbers), *copied]
        self._check_top(source.key, position)
        raise UploadCompleted(self._complete(copy, upload, parts, position).version_id)

    def copy_annotations(self, source: CopySource, version_id: str) -> None:
        """Copy the annotations that a version of the destination lacks.

        The replica stands, and is right: what denies or refuses its annotations is a warning, once, and no failure.
        """
        if version_id in self.bare:
            return
        try:
            copy_missing(self._bucket_of(source), self.uploads, source, version_id, self.side_by_side)
        except Permanent as trouble:
            self._leave_out_annotations(source, version_id, trouble)
        except Temporary as trouble:
            if may_try_again(trouble, self.attempt.delivery):
                raise
            self._leave_out_annotations(source, version_id, trouble)

    def _leave_out_annotations(self, source: CopySource, version_id: str, trouble: Trouble) -> None:
        self.bare.add(version_id)
        at = f"{source.key} {source.version_id} of {source.bucket} at {self.pair.destination}"
        self.multipart.warn(f"annotations left out of {at}: {trouble}")

    def _bucket_of(self, source: CopySource) -> LargeObjects:
        return self.multipart.source(source.bucket) if source.bucket == self.pair.source else self.uploads

    # Which upload

    def _find(self, source: CopySource, position: Position) -> Upload | None:
        """Return the upload to continue; abort one that cannot be used any more."""
        upload = self.multipart.journal.find(self.pair, source, self.attempt.change.item_id)
        if upload is None:
            return None
        if upload.failure and not self.attempt.delivery.redriven:
            raise Permanent(upload.failure.reason, "its upload failed before")
        if upload.failure or position.supersedes(upload) or upload.source != source:
            self._abandon(upload)
            return None
        return upload

    def _start(
        self, large_write: LargeWrite, source: CopySource, layout: Layout
    ) -> tuple[Upload, Sequence[Part] | None]:
        """Start an upload. If another handler was faster, return its upload, and None for its unknown parts."""
        if self.attempt.delivery.repeated:
            abort_unrecorded(self.pair, self.uploads, self.multipart)
        upload_id, begun = self.uploads.start(large_write.copy)
        upload = Upload(
            upload_id,
            source,
            self.attempt.target.account,
            layout.cut,
            layout.per_message,
            self.attempt.change.item_id,
            large_write.rule_id,
            self.now(),
            begun,
            large_write.position.onto,
        )
        try:
            recorded = self.multipart.journal.open(self.pair, upload)
        except (Temporary, Permanent):
            with suppress(Temporary, Permanent):  # nothing else refers to it
                self.uploads.abort(source.key, upload_id)
            raise
        if recorded.id == upload_id:
            return recorded, ()
        self.uploads.abort(source.key, upload_id)
        return recorded, None

    def _abandon(self, upload: Upload) -> None:
        self.uploads.abort(upload.source.key, upload.id)
        self.multipart.journal.end(self.pair, upload.ref)

    # Its part boundaries

    def _boundaries(self, large_write: LargeWrite, source: CopySource) -> Cut | None:
        """Return the source's part boundaries if the rule asks for them, or if keeping them costs little.

        An ETag may tell of parts that the bucket does not know, where another server or an import has kept it.
        """
        copy, count = large_write.copy, _part_count(large_write.copy.etag)
        if not count or copy.encryption.is_kms:
            return None
        bucket = self._bucket_of(source)
        if large_write.preserve:
            sizes = self.side_by_side([partial(bucket.part_size, source, number) for number in range(1, count + 1)])
            cut = Cut.of(sizes)
        elif suits(count, copy.size, self.multipart.model):
            first = bucket.part_size(source, 1)
            if not first:
                return None
            cut = cut_by(copy.size, first)
        else:
            return None
        return cut if (cut.count, cut.size) == (count, copy.size) and cut.is_allowed else None

    # Its parts

    def _parts(self, upload: Upload) -> Sequence[Part]:
        try:
            parts = all_parts(self.uploads, upload.source.key, upload.id, upload.cut.count)
        except UploadGone:
            self.multipart.journal.end(self.pair, upload.ref)  # completed or aborted: the histories show which
            raise
        return [part for part in parts if part.number <= upload.cut.count]

    def _copy_here(self, upload: Upload, missing: Sequence[PartRange]) -> Sequence[Part]:
        whole = upload.cut.count == 1

        def copy_lane(parts: Sequence[PartRange]) -> list[Part]:
            return [self.uploads.copy_part(upload.id, upload.source, part, whole=whole) for part in parts]

        lanes = in_lanes(missing, self.multipart.model.side_by_side)
        return [part for lane in self.side_by_side([partial(copy_lane, lane) for lane in lanes]) for part in lane]

    def _send(self, upload: Upload, missing: Sequence[PartRange], large_write: LargeWrite) -> None:
        """Send the missing parts, once. Record the change as PENDING first: workers may be done at once."""
        if upload.sent and not self.attempt.delivery.redriven:
            return
        large_write.show_pending(f"{upload.cut.count} parts")
        self.multipart.queue.send(list(messages(self.attempt.change, self.pair.destination, upload, missing)))
        self.multipart.journal.sent(self.pair, upload.ref)

    # Completing it

    def _check_top(self, key: str, position: Position) -> None:
        """Raise Conflict if a delete marker came on top while parts were copied: no guard detects that."""
        if not position.leads or position.guard.etag:
            return
        top = self.replicas.top(key)
        there = top if isinstance(top, Absent) else top.version_id
        if there != (position.onto or ABSENT):
            raise Conflict(f"{there} came on top of {key}")

    def _complete(self, copy: Copy, upload: Upload, parts: Sequence[Part], position: Position) -> Written:
        ordered = sorted(parts, key=lambda part: part.number)
        try:
            written = self._complete_at(copy, upload, ordered, position)
        except UploadSpoiled:
            self._abandon(upload)
            raise
        except UploadGone:
            self.multipart.journal.end(self.pair, upload.ref)
            raise
        check_faithful(copy, written)
        self.copy_annotations(upload.source, written.version_id)
        return written  # the journal keeps the upload until the result is recorded: see cleanup.py

    def _complete_at(self, copy: Copy, upload: Upload, parts: Sequence[Part], position: Position) -> Written:
        """Complete with the guard, or without it if the version need not be current: S3 inserts it below newer ones."""
        try:
            return self.uploads.complete(copy, upload.id, parts, position.guard)
        except UploadSpoiled:
            if position.leads:
                raise
            return self.uploads.complete(copy, upload.id, parts, None)


def _part_count(etag: str) -> int:
    """Return the number of parts in an ETag; 0 for an object that was not uploaded in parts."""
    found = _ETAG_PARTS.search(etag)
    return int(found[1]) if found else 0
