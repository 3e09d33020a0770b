"""The ports UploadJournal and PartQueue in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from replicator.core.deciding.journal import Pair
from replicator.core.outcomes.parking import Parked
from replicator.core.parts.uploads import CopySource, Failure, PartsMessage, Upload, UploadRef
from replicator.flows.release import ParkedEntry

from tests.fakes.points import Call, Points, Straight
from tests.fakes.queue import MemoryQueue

Place = tuple[Pair, str, str, str]


@dataclass(slots=True)
class MemoryUploadJournal:
    """Items that are read consistently and changed on conditions."""

    points: Points = field(default_factory=Straight)
    uploads: dict[Place, Upload] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)
    parked: dict[tuple[str, str], ParkedEntry] = field(default_factory=dict)
    parkings: int = 0

    def find(self, pair: Pair, source: CopySource, change_id: str) -> Upload | None:
        place = (pair, change_id, source.bucket, source.version_id)
        return self.points.call(_call("FIND UPLOAD", pair, change_id), lambda: self.uploads.get(place))

    def open(self, pair: Pair, upload: Upload) -> Upload:
        place = _place(pair, upload.ref)
        return self.points.call(
            _call("OPENED", pair, upload.id), lambda: self.uploads.setdefault(place, replace(upload, failure=None))
        )

    def sent(self, pair: Pair, upload: UploadRef) -> None:
        self.points.call(_call("SENT", pair, upload.id), lambda: self._change(pair, upload, sent=True))

    def fail(self, pair: Pair, upload: UploadRef, failure: Failure) -> bool:
        return self.points.call(
            _call("CLAIM UPLOAD FAILURE", pair, upload.id), lambda: self._fail(pair, upload, failure)
        )

    def end(self, pair: Pair, upload: UploadRef) -> None:
        self.points.call(_call("ENDED", pair, upload.id), lambda: self._end(pair, upload))

    def retire(self, pair: Pair, upload: UploadRef) -> None:
        self.points.call(_call("RETIRED", pair, upload.id), lambda: self.retired.add(upload.id))

    def park(self, pair: Pair, upload_id: str, number: int, parked: Parked) -> None:
        self.points.call(_call("PARK PARTS", pair, upload_id), lambda: self._park(pair, upload_id, number, parked))

    def _park(self, pair: Pair, upload_id: str, number: int, parked: Parked) -> None:
        item = (f"{pair.source}/{pair.key}", f"{pair.destination}#parts#{upload_id}/{number}")
        self.parkings += 1
        self.parked[item] = ParkedEntry(item, pair.destination, parked.release_at, self.parkings, parked.body)

    def of(self, pair: Pair) -> Sequence[Upload]:
        return self.points.call(
            _call("FIND UPLOADS", pair), lambda: [upload for place, upload in self.uploads.items() if place[0] == pair]
        )

    def under_way(self) -> Iterable[tuple[Pair, Upload]]:
        found = [(place[0], upload) for place, upload in self.uploads.items() if upload.id not in self.retired]
        return self.points.call(Call("FIND UPLOADS", "journal", "", ""), lambda: found)

    def _is(self, pair: Pair, upload: UploadRef) -> Upload | None:
        found = self.uploads.get(_place(pair, upload))
        return found if found and found.id == upload.id else None

    def _change(self, pair: Pair, upload: UploadRef, **fields: bool) -> None:
        if found := self._is(pair, upload):
            self.uploads[_place(pair, upload)] = replace(found, **fields)  # type: ignore[arg-type]

    def _fail(self, pair: Pair, upload: UploadRef, failure: Failure) -> bool:
        found = self._is(pair, upload)
        if found is None or (found.failure and found.failure.message != failure.message):
            return False
        self.uploads[_place(pair, upload)] = replace(found, failure=failure)
        return True

    def _end(self, pair: Pair, upload: UploadRef) -> None:
        if self._is(pair, upload):
            del self.uploads[_place(pair, upload)]


@dataclass(slots=True)
class MemoryPartQueue:
    """The way into the part queue."""

    queue: MemoryQueue

    def send(self, messages: Sequence[PartsMessage]) -> None:
        bodies = [message.encode() for message in messages]
        call = Call("SEND", "queue", "parts", messages[0].change.key, f"{len(bodies)} messages")
        self.queue.points.call(call, lambda: [self.queue.send(body) for body in bodies])


def _place(pair: Pair, upload: UploadRef) -> Place:
    return pair, upload.change_id, upload.source.bucket, upload.source.version_id


def _call(operation: str, pair: Pair, detail: str = "") -> Call:
    return Call(operation, "journal", pair.source, pair.key, f"-> {pair.destination} {detail}".strip())
