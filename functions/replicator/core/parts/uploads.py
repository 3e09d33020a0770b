"""Our multipart uploads as values: what the journal remembers about one, and what a part message contains.

The bucket is the truth about parts: ListParts returns what is done. The journal remembers only what no request returns:
which upload copies which version, how it is divided, and whether its part messages were sent.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from replicator.core.outcomes.outcome import Conflict, Reason
from replicator.core.parts.parts import LARGEST_PART, MOST_PARTS, Cut, PartRange
from replicator.core.versions.change import Change
from replicator.core.versions.events import Unreadable, parse, write
from replicator.core.versions.version import Checksum

MEMBER = "copyParts"
"""The member that a part message adds to an S3 event. Readers of S3 events ignore it, so a part message from the
dead-letter queue can be sent to the change queue as it is: there it is that event."""


class UploadGone(Conflict):
    """The upload no longer exists: it was completed, aborted, or expired."""


class UploadSpoiled(Conflict):
    """The upload must be started again: another write came while it was being completed (409)."""


class SourceGone(Conflict):
    """The version that the parts are copied from no longer exists, or has changed."""


class UploadCompleted(Conflict):
    """An upload was completed. S3 inserts the object where the upload began, so the histories must be read again."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that was copied."""

    number: int
    size: int
    etag: str
    checksum: Checksum | None = None


@dataclass(frozen=True, slots=True)
class CopySource:
    """One version to copy parts from, pinned by its ETag."""

    bucket: str
    key: str
    version_id: str
    etag: str


@dataclass(frozen=True, slots=True)
class UploadRef:
    """The key of one upload in the journal: the upload, what it copies, and for which change."""

    id: str
    source: CopySource
    change_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an upload failed for good, and the id of the message whose handler reports it."""

    reason: Reason
    detail: str
    message: str


@dataclass(frozen=True, slots=True)
class Upload:
    """One multipart upload that replicates one version.

    source: what is copied: a version of the source, or one of the destination that is put back on top.
    change_id, rule_id: the item id of the change that it was started for, and the rule that selected the version.
    per_message: parts in one message; 0 if the function that started the upload copies them itself.
    started: by our own clock, epoch milliseconds. begun: by the destination's clock, epoch seconds, as in LastModified.
    onto: the version id on top of the destination at that time, as far as it was known; empty for nothing.
    sent: all part messages were sent at least once. failure: why the upload will never be completed.
    """

    id: str
    source: CopySource
    account: str
    cut: Cut
    per_message: int
    change_id: str
    rule_id: str
    started: int
    begun: int
    onto: str = ""
    sent: bool = False
    failure: Failure | None = None

    @property
    def ref(self) -> UploadRef:
        """The key of this upload in the journal."""
        return UploadRef(self.id, self.source, self.change_id)

    def missing(self, there: Iterable[Part]) -> list[PartRange]:
        """Return the parts that have not been copied, or that have the wrong size."""
        sizes = {part.number: part.size for part in there}
        return [part for part in self.cut.ranges() if sizes.get(part.number) != part.size]


@dataclass(frozen=True, slots=True)
class PartsMessage:
    """Parts to copy, and the change that they belong to. parts: how many the whole upload has."""

    change: Change
    destination: str
    account: str
    rule_id: str
    upload_id: str
    source: CopySource
    parts: int
    ranges: tuple[PartRange, ...]

    @property
    def ref(self) -> UploadRef:
        """The key of the upload in the journal."""
        return UploadRef(self.upload_id, self.source, self.change.item_id)

    def encode(self) -> str:
        """Return the message body: the change as an S3 event, and the parts beside it."""
        body: dict[str, Any] = json.loads(write(self.change))
        body[MEMBER] = {
            "destination": self.destination,
            "account": self.account,
            "rule": self.rule_id,
            "upload": self.upload_id,
            "bucket": self.source.bucket,
            "version": self.source.version_id,
            "etag": self.source.etag,
            "parts": self.parts,
            "number": self.ranges[0].number,
            "offset": self.ranges[0].first,
            "sizes": str(Cut.of(part.size for part in self.ranges)),
        }
        return json.dumps(body)


def decode(body: str) -> PartsMessage | Unreadable:
    """Read the output of `encode`."""
    records = parse(body)
    if len(records) != 1 or isinstance(records[0], Unreadable):
        return records[0] if records and isinstance(records[0], Unreadable) else Unreadable("not one change", body)
    change = records[0].change
    try:
        return _parts_message(change, json.loads(body)[MEMBER])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        return Unreadable(f"'{MEMBER}' is missing or has an unexpected form: {error!r}", body)


def _parts_message(change: Change, given: Mapping[str, Any]) -> PartsMessage:
    parts, number, offset = (int(given[name]) for name in ("parts", "number", "offset"))
    cut = Cut.parse(_text(given, "sizes"))
    if not 1 <= number <= number + cut.count - 1 <= parts <= MOST_PARTS or offset < 0:
        raise ValueError(f"parts {number} to {number + cut.count - 1} of {parts} from byte {offset}")
    if any(count < 1 or not 1 <= size <= LARGEST_PART for count, size in cut.runs):
        raise ValueError(f"no parts of {cut}")
    return PartsMessage(
        change,
        _text(given, "destination"),
        _text(given, "account", empty=True),
        _text(given, "rule", empty=True),
        _text(given, "upload"),
        CopySource(_text(given, "bucket"), change.key, _text(given, "version"), _text(given, "etag")),
        parts,
        tuple(cut.ranges(number, offset)),
    )


def _text(given: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    text = given[name]
    if not isinstance(text, str) or not (text or empty):
        raise ValueError(f"{name} is {text!r}")
    return text


def messages(change: Change, destination: str, upload: Upload, missing: Iterable[PartRange]) -> Iterator[PartsMessage]:
    """Yield messages for the missing parts of an upload; parts of one message are consecutive."""
    for run in _runs(missing, upload.per_message):
        yield PartsMessage(
            change,
            destination,
            upload.account,
            upload.rule_id,
            upload.id,
            upload.source,
            upload.cut.count,
            tuple(run),
        )


def _runs(parts: Iterable[PartRange], most: int) -> Iterator[list[PartRange]]:
    run: list[PartRange] = []
    for part in parts:
        if run and (len(run) == most or part.number != run[-1].number + 1):
            yield run
            run = []
        run.append(part)
    if run:
        yield run
