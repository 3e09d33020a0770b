"""The promises, checked at rest and after each delivery. docs/consistency.md says them in words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from replicator.core.outcomes.outcome import Reason
from replicator.core.versions.events import Record, parse

from tests.fakes.s3 import LIFECYCLE, S3_REPLICATION, USER, Bucket
from tests.fakes.stored import Stored
from tests.simulation.parking_promises import nothing_parked
from tests.simulation.setting import Order, Route
from tests.simulation.truth import ever, is_native, natives, root, saw, shown

if TYPE_CHECKING:
    from tests.simulation.history import History
    from tests.simulation.turns import Handler


def at_rest(history: "History") -> list[str]:
    """Return what is wrong once nothing moves any more."""
    found: list[str] = [] if history.aspects is None else [*history.aspects.at_rest()]
    found += [*_nothing_pending(history), *_nothing_destroyed(history), *_no_uploads(history), *nothing_parked(history)]
    for key in history.setting.keys:
        for route in history.setting.routes:
            if history.setting.takes_nothing(route.destination):
                found += _only_failures(history, route, key)
                continue
            found += _complete(history, route, key)
            found += _few_copies(history, route, key)
            if history.setting.order is Order.SOURCE and route.source in history.setting.writers:
                found += _shows_source(history, route, key)
            if history.setting.native:
                found += _shows_what_s3_replicates(history, key)
            if history.setting.order is Order.NO_OLDER:
                found += _shows_nothing_older(history, route, key)
        if history.setting.order is Order.SAME:
            found += _shows_same(history, key)
    return found


def _nothing_pending(history: "History") -> Iterator[str]:
    """Promise 6: every message was completed or failed, and the journal has none that waits."""
    if any(history.setting.takes_nothing(name) for name in history.setting.buckets):
        return
    for stack in history.deployed:
        for (pair, version_id), waiting in stack.journal.waiting.items():
            if waiting.reason is Reason.DST_VERSION_NOT_FOUND and "destroy" in history.setting.acts:
                continue  # a user deleted the replica for good, and changed the version
            yield f"{version_id} -> {pair.destination} is still {waiting.status}: {waiting.reason}"
        if any(letter.outcome.reason is not Reason.DST_VERSION_NOT_FOUND for letter in stack.queue.dead):
            yield f"the dead-letter queue of {stack.bucket} is not empty"


def _nothing_destroyed(history: "History") -> Iterator[str]:
    """Promise 5, for what no deletion names: where versions are not kept, a write takes the place of another."""
    for bucket, _, stored, author in history.s3.destroyed:
        if author not in {USER, LIFECYCLE}:
            yield f"{stored.version_id} of {bucket} was lost to a write of {author}"


def _only_failures(history: "History", route: Route, key: str) -> Iterator[str]:
    """Promise 6, where nothing can be written: every change of a user is in the dead-letter queue."""
    dead = [record for letter in history.stacks[route.source].queue.dead for record in parse(letter.body)]
    buried = {record.change.version_id for record in dead if isinstance(record, Record)}
    for stored in natives(history.s3.buckets[route.source], key):
        if stored.version_id not in buried:
            yield f"{stored.version_id} can not go to {route.destination}, but is not in the dead-letter queue"


def _no_uploads(history: "History") -> Iterator[str]:
    """No orphans: uploads that the monitor cannot know of are left only by killed handlers and by failed lookups."""
    known = {
        upload.id
        for stack in history.deployed
        if stack.consumer.services.multipart
        for _, upload in stack.consumer.services.multipart.journal.under_way()
    }
    left = set(history.uploads.begun)
    if left & known:
        yield f"uploads {', '.join(sorted(left & known))} are still there"
    if len(left - known) > history.luck.mishaps / 2:
        yield f"{len(left)} uploads are left over after {history.luck.mishaps} mishaps"


def _complete(history: "History", route: Route, key: str) -> Iterator[str]:
    """Promise 1: every native version that a rule selects has a replica, as long as it exists."""
    now, before = history.s3.buckets[route.destination].history(key), ever(history.s3, route.destination, key)
    entries = now if history.setting.restores else before
    there = {root(stored).serial for stored in entries if stored.is_version}
    for stored in natives(history.s3.buckets[route.source], key):
        if stored.serial in history.watch.retagged:
            continue  # whether it was selected depends on when it was looked at
        if stored.is_version and stored.serial not in there and route.selects(stored.content):
            yield f"{stored.version_id} of {route.source} is missing in {route.destination}"


def _few_copies(history: "History", route: Route, key: str) -> Iterator[str]:
    """Promise 2: one replica for each version; one more for each mishap, write it was put back over, or undelete.

    A later change of a version that is not there yet copies it, as its own event does.
    """
    buckets = history.s3.buckets
    writes = sum(len(natives(bucket, key)) for bucket in buckets.values())
    families = history.aspects.families.values() if history.aspects else ()
    changes = sum(family.changes.total() for family in families)
    bound = 1 + writes + changes + history.luck.mishaps + history.luck.extra + history.undeletes.removals
    markers = sum(not (stored.is_version or is_native(stored)) for stored in buckets[route.destination].history(key))
    if markers > bound:
        yield f"{markers} delete markers were written to {route.destination}, more than {bound}"
    for stored in natives(buckets[route.source], key):
        copies = history.watch.copies[route.destination, stored.serial]
        if copies > bound:
            yield f"{stored.version_id} was copied to {route.destination} {copies} times, more than {bound}"


def _shows_source(history: "History", route: Route, key: str) -> Iterator[str]:
    """Promise 3, one-way: the destination shows what the source shows, or a later write of its own users."""
    if key in history.undeletes.loose:
        return  # a documented limit: a delete marker that was removed while it was replicated may stay
    source, destination = history.s3.buckets[route.source], history.s3.buckets[route.destination]
    sent = [stored for stored in natives(source, key) if _sent(route, stored)]
    last = sent[-1] if sent else None
    own = natives(destination, key)
    theirs = own[-1] if own else None
    allowed = [_visible(last)]
    if last is None and history.setting.restores:
        return  # nobody can ask for a key that the source does not have
    if theirs and not history.setting.restores and (last is None or _after(history, theirs, route, key, last)):
        allowed = [_visible(theirs)]
        if last and not last.is_version:
            allowed.append(None)
    now = shown(destination, key)
    if now not in allowed and not any(stored.serial in history.watch.retagged for stored in natives(source, key)):
        yield f"{route.destination}/{key} shows {_name(now)} instead of {' or '.join(map(_name, allowed))}"


def _shows_what_s3_replicates(history: "History", key: str) -> Iterator[str]:
    """Promise 3, beside S3's own replication: two buckets of which each is replicated to the other show the same."""
    ways = {(route.source, route.destination) for route in (*history.setting.routes, *history.setting.native)}
    for one, other in sorted(ways):
        now, there = (shown(history.s3.buckets[name], key) for name in (one, other))
        if (other, one) in ways and now is not there:
            yield f"{one}/{key} shows {_name(now)}, {other} shows {_name(there)}"


def _shows_nothing_older(history: "History", route: Route, key: str) -> Iterator[str]:
    """Promise 3, where users delete for good at the source: their deletions stay there, and uncover nothing old."""
    sent = [stored for stored in natives(history.s3.buckets[route.source], key) if _sent(route, stored)]
    now = shown(history.s3.buckets[route.destination], key)
    if not sent or now is _visible(sent[-1]):
        return
    if now is None or now.place < sent[-1].place or now in sent:
        yield f"{route.destination}/{key} shows {_name(now)} instead of {_name(_visible(sent[-1]))}"


def _after(history: "History", theirs: Stored, route: Route, key: str, last: Stored) -> bool:
    """Return whether a write at the destination came after the last of the source was there, delete markers as well."""
    if last.is_version:
        return saw(history.s3, theirs, route.destination, key, last)
    return theirs.place > last.place


def _sent(route: Route, stored: Stored) -> bool:
    if stored.is_version:
        return route.selects(stored.content)
    return route.markers and stored.author != LIFECYCLE


def _shows_same(history: "History", key: str) -> Iterator[str]:
    """Promise 3, two-way: both buckets show the winner of the last writes of both sides."""
    one, other = history.s3.buckets.values()
    if key in history.undeletes.loose:
        return  # a documented limit: nobody knows what the removed marker stood for
    last_of = [history.undeletes.standing(natives(bucket, key))[-1:] for bucket in (one, other)]
    if any(stored.author == LIFECYCLE for last in last_of for stored in last):
        return  # what lifecycle does on one side stays there
    if any(_came_below_a_replica(stored, bucket, key) for bucket in (one, other) for stored in natives(bucket, key)):
        return  # a documented limit: it cannot be current where it was written, and may be on the other side
    winner = _winner(history, key, [stored for last in last_of for stored in last])
    for bucket in (one, other):
        now = shown(bucket, key)
        if now is not _visible(winner):
            yield f"{bucket.name}/{key} shows {_name(now)} instead of {_name(_visible(winner))}"


def _came_below_a_replica(upload: Stored, bucket: Bucket, key: str) -> bool:
    """Return whether an upload was completed after a replica had been written that S3 puts above it."""
    return any(
        not is_native(other) and other.place > upload.place and other.serial < upload.serial
        for other in bucket.history(key)
    )


def _winner(history: "History", key: str, lasts: list[Stored]) -> Stored | None:
    """Return the write that must win: one that saw the other; else a write before a delete; else the later one."""
    if len(lasts) < 2:
        return lasts[0] if lasts else None
    for early, late in (lasts, lasts[::-1]):
        if early.is_version and saw(history.s3, late, late.bucket, key, early):
            return late
    versions = [stored for stored in lasts if stored.is_version] or lasts
    return max(versions, key=lambda stored: (stored.modified, stored.bucket))


def _visible(stored: Stored | None) -> Stored | None:
    return stored if stored and stored.is_version else None


def _name(stored: Stored | None) -> str:
    return f"{stored.version_id} of {stored.bucket}" if stored else "nothing"


def of_delivery(history: "History", handler: "Handler") -> Iterator[str]:
    """Promise 2: what an echo costs, and that no delivery makes requests without end."""
    entries = sum(len(found) for bucket in history.s3.buckets.values() for found in bucket.histories.values())
    own = history.setting.sources if history.setting.one_stack else (handler.stack,)
    routes = sum(route.source in own for route in history.setting.routes)
    records = max(1, entries) if history.setting.unheard else 1
    bound = len(handler.letters) * records * routes * 5 * (12 + 3 * entries)
    if len(handler.calls) > bound:
        yield f"{handler.name} made {len(handler.calls)} calls, more than {bound}"
    subject = history.stacks[handler.stack].subjects.get(handler.letters[0])
    if subject and not is_native(subject) and len(handler.letters) == 1 and not handler.troubled:
        yield from _cheap_echo(history, handler, subject)


def _cheap_echo(history: "History", handler: "Handler", subject: Stored) -> Iterator[str]:
    """Check what an echo costs: no call if its event names one of ours, else one HEAD.

    A mark that had no room in the metadata costs reading the tags, and an echo of a delete marker two listings.
    """
    calls = [call for call in handler.calls if call.side in {"source", "destination"}]
    if history.setting.filtered and subject.author != S3_REPLICATION and calls:
        yield f"the echo of {subject.version_id} cost {len(calls)} calls although its event names its writer"
    elif subject.is_version and len(calls) > 1 + ("replication-origin" in subject.content.tags) * (
        1 + history.setting.later  # ACLs, where they are enabled, are read with the tags
    ):
        yield f"the echo of {subject.version_id} cost {len(calls)} calls"
