"""Multipart uploads of our own as values: what the journal remembers of one, and what a message of parts says.

The bucket is the truth about parts: ListParts says what is done. Remembered is only what no request tells: which upload
stands for which version, how it was cut, and whether its messages are on their way.
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
"""What a message of parts has beside an S3 event's own members, which every reader of such events ignores. So a
message of parts that ended in the dead-letter queue can be put on the change queue as it is: it is that event again."""


class UploadGone(Conflict):
    """The upload is not there any more: completed, aborted, or expired."""


class UploadSpoiled(Conflict):
    """S3 wants the upload started over: another write came while it was being completed (409)."""


class SourceGone(Conflict):
    """What the parts were to be copied from is gone, or has changed."""


class Landed(Conflict):
    """An upload was completed. S3 puts it into the history where it was begun, so the history must be looked at."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is there. `modified`: epoch seconds, as ListParts tells it."""

    number: int
    size: int
    etag: str
    checksum: Checksum | None = None
    modified: int = 0


@dataclass(frozen=True, slots=True)
class CopySource:
    """One version to copy parts from, pinned by its ETag."""

    bucket: str
    key: str
    version_id: str
    etag: str


@dataclass(frozen=True, slots=True)
class UploadRef:
    """One upload, and what the journal remembers it by: what it copies, and for which change."""

    id: str
    source: CopySource
    change_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an upload failed for good, and the message whose handler tells of it."""

    reason: Reason
    detail: str
    message: str


@dataclass(frozen=True, slots=True)
class Upload:
    """One multipart upload that replicates one version.

    source: what is copied: the source's version, or one of the destination that is put back on top.
    change_id, rule_id: the change that it was started for, as the journal names it, and the rule that wanted it.
    per_message: parts in one message; 0 if the function that started it copies them itself.
    started: by our own clock, epoch milliseconds. begun: by the destination's, epoch seconds, as LastModified.
    onto: what stood at the top then, as far as it was known, by its version id; empty for nothing.
    sent: all its messages were sent at least once. failure: it will never be completed, and this is why.
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
        """Name it."""
        return UploadRef(self.id, self.source, self.change_id)

    def missing(self, there: Iterable[Part]) -> list[PartRange]:
        """Return the parts that are not there, or not as they were cut."""
        sizes = {part.number: part.size for part in there}
        return [part for part in self.cut.ranges() if sizes.get(part.number) != part.size]


@dataclass(frozen=True, slots=True)
class PartsMessage:
    """Parts to copy, and the change that they are for. `parts`: how many the whole upload has."""

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
        """Name the upload."""
        return UploadRef(self.upload_id, self.source, self.change.item_id)

    def encode(self) -> str:
        """Write the body of a message: the change as an S3 event, and the parts beside it."""
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
    """Read what `encode` wrote."""
    records = parse(body)
    if len(records) != 1 or isinstance(records[0], Unreadable):
        return records[0] if records and isinstance(records[0], Unreadable) else Unreadable("not one change", body)
    change = records[0].change
    try:
        return _read(change, json.loads(body)[MEMBER])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        return Unreadable(f"'{MEMBER}' is missing or has an unexpected form: {error!r}", body)


def _read(change: Change, given: Mapping[str, Any]) -> PartsMessage:
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
    """Put the missing parts of an upload into messages, neighbours together."""
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
