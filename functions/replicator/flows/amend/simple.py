"""The usual later change: tags or ACL of a current version, and a destination that replicates nothing back.

Separate because it is about cost: the memory knows the version's only replica and what it was last given, so one read
at the source and one write at the replica are all that S3 is asked.
"""

from collections.abc import Callable, Mapping

from replicator.core.aspects.state import GRANTS, TAGS, Value, digest, grant_state, tag_state
from replicator.core.deciding.journal import Memory
from replicator.core.outcomes.outcome import Side
from replicator.core.rules.rule import Rule
from replicator.core.versions.change import UNNAMED, Aspect
from replicator.core.versions.origin import NULL_VERSION
from replicator.flows.amend.ending import Done, Looked, Scene, not_carried
from replicator.flows.amend.places import Found, Place, Rewrite

FIELDS: Mapping[Aspect, str] = {Aspect.TAGS: TAGS, Aspect.ACL: GRANTS}
"""Aspects of one field, for which the memory says what a replica was given."""


def is_simple(scene: Scene, version_id: str, memory: Memory) -> bool:
    """Return whether the memory says all that must be known besides the version's own state."""
    change, top = scene.attempt.change, memory.top
    return (
        len(change.amends) == 1
        and FIELDS.get(change.amends[0], "") in memory.given
        and not scene.attempt.target.listens
        and not any(rule.replica_modifications for rule in scene.candidate.rules)
        and version_id not in {NULL_VERSION, UNNAMED}
        and top is not None
        and (top.origin.bucket, top.origin.version_id) == (scene.pair.source, version_id)
    )


def write_simply(scene: Scene, version_id: str, memory: Memory, check: Callable[[], None]) -> Done:
    """Write what the version has to its replica, unless that was given it before. Raises Temporary or Permanent.

    check: raises Temporary if nothing may be written any more.
    """
    assert memory.top  # noqa: S101 - see is_simple
    (aspect,) = scene.attempt.change.amends
    value, rule, tags = _read(scene, aspect, version_id)
    if not scene.aspects(rule):
        return Done(not_carried())
    name = FIELDS[aspect]
    if memory.given[name] == digest(value):
        return Done(Looked.EQUAL)
    check()
    replica = Place(scene.replicas, Side.DESTINATION, scene.pair.key, memory.top.version_id)
    source = Place(scene.source, Side.SOURCE, scene.pair.key, version_id)
    Rewrite(Found(replica, {}), {name: value}, source, rule.replica_tag, tags).run(aspect)
    return Done(Looked.WROTE, {**memory.given, name: digest(value)})


def _read(scene: Scene, aspect: Aspect, version_id: str) -> tuple[Value, Rule, Mapping[str, str]]:
    """Return what the version has of an aspect, its rule, and its tags if they were read."""
    key = scene.pair.key
    if aspect is Aspect.TAGS:
        tags = scene.source.tags(key, version_id)
        return tag_state(tags)[TAGS], scene.rule(tags), tags
    rule = scene.rule({})
    grants = scene.source.grants(key, version_id) if scene.aspects(rule) else ()
    return grant_state(grants)[GRANTS], rule, {}
