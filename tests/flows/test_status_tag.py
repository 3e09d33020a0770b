"""The status tag of source versions and what changes after the write: it claims nothing that the journal denies.

The tags are those of the stage's own source bucket, so that writing them causes events like a user's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from replicator.core.deciding.target import Target
from replicator.core.outcomes.outcome import Permanent, Reason, Side, Temporary
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import UNNAMED, Change, ChangeKind
from replicator.core.versions.events import write
from replicator.core.versions.origin import STATUS_TAG
from replicator.flows.change.status_tag import StatusTags

from tests.fakes.rules import rule
from tests.fakes.stored import Stored
from tests.flows.stage import EAST, NORTH, WEST, Stage

SLOW = Temporary(Reason.THROTTLED, "SlowDown")
DENIED = Permanent(Reason.DST_PUT_TAGS_DENIED, "AccessDenied")
TO_WEST = rule(WEST, rule_id="west")


@dataclass(slots=True)
class SourceTags:
    """The port Tagging on the stage's buckets. written: the status tags that were written, in order."""

    stage: Stage
    written: list[str] = field(default_factory=list)

    def tags(self, bucket: str, key: str, version_id: str) -> Mapping[str, str]:
        return self.stage.services.buckets.amendable(Target(bucket), Side.SOURCE).tags(key, version_id)

    def put_tags(self, bucket: str, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        self.written.append(tags[STATUS_TAG])
        self.stage.services.buckets.amendable(Target(bucket), Side.SOURCE).put_tags(key, version_id, tags)


def tagging(*rules: Rule, **services: Any) -> tuple[Stage, SourceTags]:
    """Return a stage that tags source versions."""
    stage = Stage(rules or [TO_WEST])
    tags = SourceTags(stage)
    stage.change_services(**services)
    stage.change_closing(status_tags=StatusTags(tags, stage.services, stage.log.incomplete))
    return stage, tags


def replicated(stage: Stage, **content: Any) -> Stored:
    version = stage.put(**content)
    stage.deliver_all()
    stage.points.calls.clear()
    return version


def tag(stage: Stage, version: Stored, value: str) -> None:
    """Let a user add a tag, and keep the others, a second after what happened before."""
    stage.s3.clock.advance(1)
    stage.s3.tag(EAST, "k", version.version_id, {**version.content.tags, "a": value})


def status(version: Stored) -> str | None:
    return version.content.tags.get(STATUS_TAG)


def test_a_later_change_that_failed_makes_its_version_failed_until_it_is_redriven() -> None:
    stage, _ = tagging()
    version = replicated(stage)
    stage.fail("PUT TAGS", DENIED, bucket=WEST)
    tag(stage, version, "1")
    stage.deliver_all()
    assert status(version) == "FAILED"
    stage.queue.redrive()
    stage.deliver_all()
    assert (status(version), version.content.tags["a"]) == ("COMPLETED", "1")


def test_a_later_change_that_waits_makes_its_version_pending_until_it_arrives() -> None:
    stage, tags = tagging()
    version = replicated(stage)
    stage.fail("PUT TAGS", SLOW, 2, bucket=WEST)
    tag(stage, version, "1")
    stage.deliver()
    assert status(version) == "PENDING"
    stage.deliver_all()
    assert status(version) == "COMPLETED"
    assert tags.written == ["COMPLETED", "PENDING", "COMPLETED"]


def test_of_two_destinations_the_one_that_failed_counts_whatever_arrives_at_the_other() -> None:
    stage, _ = tagging(TO_WEST, rule(NORTH, rule_id="north"))
    version = replicated(stage)
    stage.fail("PUT TAGS", DENIED, bucket=WEST)
    stage.fail("PUT TAGS", SLOW, 2, bucket=NORTH)
    tag(stage, version, "1")
    stage.deliver_all()
    assert status(version) == "FAILED"


def test_a_repeated_event_of_the_version_itself_does_not_hide_that_a_later_change_failed() -> None:
    stage, _ = tagging()
    version = stage.put()
    [created] = stage.queue.visible()
    stage.deliver_all()
    stage.fail("PUT TAGS", DENIED, bucket=WEST)
    tag(stage, version, "1")
    stage.deliver_all()
    stage.queue.send(created.body)
    stage.deliver_all()
    assert status(version) == "FAILED"


def test_another_change_that_arrives_does_not_hide_one_that_failed() -> None:
    stage, _ = tagging()
    version = replicated(stage)
    stage.fail("PUT TAGS", DENIED, bucket=WEST)
    tag(stage, version, "1")
    stage.deliver_all()
    stage.fail("PUT TAGS", SLOW, bucket=WEST)
    tag(stage, version, "2")
    stage.deliver_all()
    assert status(version) == "FAILED"


def test_an_older_version_has_its_own_status() -> None:
    stage, _ = tagging()
    older, newer = replicated(stage, body=b"1"), replicated(stage, body=b"2")
    stage.fail("PUT TAGS", DENIED, bucket=WEST)
    tag(stage, older, "1")
    stage.deliver_all()
    assert (status(older), status(newer)) == ("FAILED", "COMPLETED")


def test_a_change_whose_event_names_no_version_makes_all_versions_failed_that_say_completed() -> None:
    stage, _ = tagging()
    older, newer = replicated(stage, body=b"1"), replicated(stage, body=b"2")
    stage.fail("PUT TAGS", DENIED, bucket=WEST)
    tag(stage, older, "1")
    stage.queue.messages.clear()
    stage.queue.send(write(Change(ChangeKind.TAGS, EAST, "k", UNNAMED, stage.s3.clock.milliseconds())))
    stage.deliver_all()
    assert (status(older), status(newer)) == ("FAILED", "FAILED")
    stage.queue.redrive()
    stage.deliver_all()
    assert (status(older), status(newer)) == ("COMPLETED", "COMPLETED")


def test_a_repeated_event_of_a_version_does_not_hide_that_a_change_failed_which_names_no_version() -> None:
    stage, _ = tagging()
    version = stage.put()
    [created] = stage.queue.visible()
    stage.deliver_all()
    stage.fail("PUT TAGS", DENIED, bucket=WEST)
    tag(stage, version, "1")
    stage.queue.messages.clear()
    stage.queue.send(write(Change(ChangeKind.TAGS, EAST, "k", UNNAMED, stage.s3.clock.milliseconds())))
    stage.deliver_all()
    stage.queue.send(created.body)
    stage.deliver_all()
    assert status(version) == "FAILED"


def test_a_tag_that_a_user_has_removed_stays_away() -> None:
    stage, tags = tagging()
    version = replicated(stage)
    stage.fail("PUT TAGS", SLOW, bucket=WEST)
    stage.s3.tag(EAST, "k", version.version_id, {"a": "1"})
    stage.deliver_all()
    assert version.content.tags == {"a": "1"}
    assert tags.written == ["COMPLETED"]


def test_a_version_that_later_tags_made_match_a_filter_gets_its_status_when_it_is_copied() -> None:
    stage, _ = tagging(rule(WEST, rule_id="blue", tags={"team": "blue"}))
    version = replicated(stage)
    assert status(version) is None
    stage.s3.tag(EAST, "k", version.version_id, {"team": "blue"})
    stage.deliver_all()
    assert version.content.tags == {"team": "blue", STATUS_TAG: "COMPLETED"}


def test_a_later_change_that_succeeds_at_once_costs_what_it_costs_without_status_tags() -> None:
    stage, _ = tagging()
    version = replicated(stage)
    tag(stage, version, "1")
    stage.deliver_all()
    made = [call.operation for call in stage.points.calls if call.side != "gates"]
    assert [name for name in made if name != "READ GATES"] == ["LEASE", "GET TAGS", "PUT TAGS", "RELEASE"]


@pytest.mark.parametrize("trouble", [0, 1, 3])
def test_writing_the_tag_sets_nothing_off_even_where_nobody_sees_who_wrote_it(trouble: int) -> None:
    """As with EventBridge, whose events do not say who. Each write of the tag has one echo, which writes nothing."""
    stage, tags = tagging(own_principals=frozenset())
    version = replicated(stage)
    before = len(tags.written)
    stage.fail("PUT TAGS", SLOW, trouble, bucket=WEST)
    tag(stage, version, "1")
    stage.deliver_all(at_most=50)
    assert tags.written[before:] == (["PENDING", "COMPLETED"] if trouble else [])
    assert status(version) == "COMPLETED"
    [replica] = stage.s3.buckets[WEST].history("k")
    assert replica.content.tags == {"a": "1", STATUS_TAG: "REPLICA"}


def test_a_change_that_waits_for_its_turn_only_is_not_tagged_pending() -> None:
    stage, tags = tagging()
    version = replicated(stage)
    [pair] = stage.journal.entries
    now = stage.s3.clock.milliseconds()
    stage.journal.leases[pair] = "another", now + 1000
    tag(stage, version, "1")
    stage.deliver()
    assert status(version) == "COMPLETED"
    stage.deliver_all()
    assert tags.written == ["COMPLETED"]
