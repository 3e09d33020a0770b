"""`explain` says what a delivery would do now, and does nothing."""

import pytest
from replicator.core.deciding.actions import CopyVersion, Finish, MarkDeleted, Plan
from replicator.core.deciding.facts import Absent
from replicator.core.outcomes.outcome import Permanent, Reason, Temporary
from replicator.core.rules.matching import MatchResult
from replicator.core.versions.version import MarkerHead, StoredVersion
from replicator.flows.amend.amender import Amender
from s3replicator.explain.explanation import AtDestination, Explanation, explain_version

from tests.fakes.points import READS
from tests.fakes.rules import rule
from tests.flows.stage import EAST, NORTH, WEST, Stage

BOTH = [rule(WEST, rule_id="all", delete_markers=True), rule(NORTH, rule_id="photos", prefix="photos/")]


def explained(on: Stage, key: str = "k", version_id: str = "", bucket: str = EAST) -> Explanation:
    before = len(on.points.calls)
    found = explain_version(bucket, key, version_id, on.services)
    assert {call.operation for call in on.points.calls[before:]} <= READS, "it reads and does nothing else"
    return found


def only(found: Explanation) -> AtDestination:
    [at] = found.destinations
    return at


def steps(at: AtDestination) -> list[object]:
    assert isinstance(at.decision, Plan)
    return [getattr(step, "version_id", "delete") for step in at.decision.steps]


def test_a_version_that_is_missing_would_be_copied() -> None:
    on = Stage(BOTH)
    source = on.put()
    found = explained(on)
    assert isinstance(found.subject, StoredVersion)
    assert found.change.version_id == source.version_id
    assert [(match.rule.id, match.result) for match in found.matches] == [
        ("all", MatchResult.MATCHES),
        ("photos", MatchResult.PREFIX),
    ]
    at = only(found)
    assert at.destination == WEST
    assert isinstance(at.decision, Plan)
    assert [type(step) for step in at.decision.steps] == [CopyVersion]


def test_what_it_says_is_what_a_delivery_does() -> None:
    on = Stage(BOTH)
    for number in range(3):
        on.put(body=bytes([number]))
    newest = on.queue.visible()[-1]
    said = steps(only(explained(on)))
    on.deliver(newest)
    after = only(explained(on))
    assert said == [stored.version_id for stored in on.s3.buckets[EAST].history("k")]
    assert on.replicas()[-1] == said[-1]
    on.deliver_all()
    assert steps(only(explained(on))) == []
    assert after.facts is not None


def test_once_it_is_there_nothing_would_be_done() -> None:
    on = Stage(BOTH)
    on.put()
    on.deliver_all()
    assert steps(only(explained(on))) == []


def test_an_old_version_is_explained_by_its_id() -> None:
    on = Stage(BOTH)
    first, _ = on.put(body=b"1"), on.put(body=b"2")
    found = explained(on, version_id=first.version_id)
    assert found.change.version_id == first.version_id
    assert len(steps(only(found))) == 2, "the newer one would be copied along, to be current"


def test_what_is_deleted_is_explained_as_its_delete_marker() -> None:
    on = Stage(BOTH)
    on.put()
    on.deliver_all()
    marker = on.s3.delete(EAST, "k")
    assert marker
    for version_id in ("", marker.version_id):
        found = explained(on, version_id=version_id)
        assert isinstance(found.subject, MarkerHead)
        at = only(found)
        assert isinstance(at.decision, Plan)
        assert [type(step) for step in at.decision.steps] == [MarkDeleted]


def test_a_replica_says_what_it_stands_for_and_goes_nowhere() -> None:
    on = Stage(BOTH)
    source = on.put()
    on.deliver_all()
    on.rule_sets.put(WEST, rule(EAST, rule_id="back"))
    found = explained(on, bucket=WEST)
    assert found.origin
    assert found.origin.version_id == source.version_id
    decision = only(found).decision
    assert isinstance(decision, Finish)
    assert decision.reason is Reason.REPLICA


def test_what_is_not_there_has_nowhere_to_go() -> None:
    on = Stage(BOTH)
    for version_id in ("", "gone"):
        found = explained(on, "nothing", version_id)
        assert isinstance(found.subject, Absent)
        assert found.destinations == ()


def test_without_rules_there_is_nothing_to_say_but_what_it_is() -> None:
    on = Stage([])
    on.put()
    found = explained(on)
    assert isinstance(found.subject, StoredVersion)
    assert (found.matches, found.destinations) == ((), ())


def test_a_tag_filter_is_explained_with_the_tags_that_it_has() -> None:
    on = Stage([rule(WEST, tags={"class": "gold"})])
    on.put(tags={"class": "tin"})
    [match] = explained(on).matches
    assert match.result is MatchResult.TAG


def test_an_earlier_failure_is_told() -> None:
    on = Stage(BOTH)
    on.fail("COPY", Permanent(Reason.DST_PUT_DENIED, "AccessDenied"))
    on.put()
    on.deliver_all()
    earlier = only(explained(on)).earlier
    assert earlier is not None
    assert earlier.reason is Reason.DST_PUT_DENIED


def test_trouble_at_one_destination_leaves_the_other_explained() -> None:
    on = Stage(BOTH)
    del on.s3.buckets[WEST]
    on.put("photos/1")
    north, west = sorted(explained(on, "photos/1").destinations, key=lambda at: at.destination)
    assert isinstance(west.trouble, Permanent)
    assert west.trouble.reason is Reason.DST_BUCKET_NOT_FOUND
    assert len(steps(north)) == 1


def test_trouble_that_may_pass_is_told_as_such() -> None:
    on = Stage(BOTH)
    on.put()
    on.fail("LIST", Temporary(Reason.THROTTLED, "SlowDown"))
    assert isinstance(only(explained(on)).trouble, Temporary)


def test_a_delete_marker_that_only_a_list_lacks_is_not_called_gone() -> None:
    on = Stage(BOTH)
    marker = on.s3.delete(EAST, "k")
    assert marker
    on.s3.buckets[EAST].lists_all = False
    with pytest.raises(Temporary, match="which HEAD finds"):
        explained(on, version_id=marker.version_id)


def test_what_cannot_be_compared_after_the_write_hides_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_self: Amender) -> None:
        raise Permanent(Reason.DST_GET_DENIED, "GetObjectAcl")

    on = Stage(BOTH)
    on.put()
    monkeypatch.setattr(Amender, "examine", denied)
    at = only(explained(on))
    assert isinstance(at.decision, Plan)
    assert at.later_trouble
    assert at.later_trouble.reason is Reason.DST_GET_DENIED
