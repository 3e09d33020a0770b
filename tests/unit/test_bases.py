"""The bases of one version: what an agreement keeps of the fields that the two sides do not agree on."""

from replicator.core.aspects.base import agreed
from replicator.core.aspects.merge import Settled
from replicator.core.aspects.state import TAGS
from replicator.core.deciding.journal import Pair
from replicator.core.versions.change import Aspect
from replicator.flows.amend.bases import Bases

from tests.fakes.journal import MemoryJournal

PAIR = Pair("east", "west", "k")


def test_what_the_source_has_is_known_from_then_on_whatever_a_replica_keeps() -> None:
    """Else what a replica keeps would be overwritten by what its user had seen."""
    bases = Bases(MemoryJournal(), PAIR, "v1", two_way=True)
    bases.agree(Aspect.TAGS, {TAGS: Settled("old", ("old",))}, ["r1"])
    bases.agree(Aspect.TAGS, {TAGS: Settled("new", ("kept",))}, ["r1"])
    base = bases.of(Aspect.TAGS, TAGS)
    assert not base.is_source_changed("new")
    assert base.is_replica_changed("kept")


def test_what_differs_though_neither_side_changed_stays_in_the_base() -> None:
    bases = Bases(MemoryJournal(), PAIR, "v1", two_way=True)
    bases.agree(Aspect.TAGS, {TAGS: Settled("old", ("old",))}, ["r1"])
    bases.agree(Aspect.TAGS, {TAGS: Settled("old", ("kept",))}, ["r1"])
    assert bases.of(Aspect.TAGS, TAGS) == agreed("old")
