"""What a container remembers of rules: never more than its bounds, and rules that are used stay ready."""

import threading
from dataclasses import dataclass, field

from replicator.aws.rule_shelf import RuleShelf
from replicator.core.rules.matching import RuleSet
from replicator.core.rules.packed import PackedRules
from replicator.core.rules.rule import Destination, Rule

RULES = 10


@dataclass(eq=False)
class Kept:
    """The rules of one bucket."""

    rules: RuleSet | None
    lock: threading.Lock = field(default_factory=threading.Lock)
    uses: int = 0

    def forget(self) -> None:
        self.rules = None

    @property
    def state(self) -> str:
        return "forgotten" if self.rules is None else "packed" if isinstance(self.rules, PackedRules) else "ready"


def kept(name: str) -> Kept:
    rules = [Rule(f"{n}", True, n, f"{n}/", frozenset(), Destination("west")) for n in range(RULES)]
    return Kept(RuleSet(name, tuple(rules)))


def use(shelf: RuleShelf, *all_kept: Kept) -> None:
    for each in all_kept:
        with each.lock:
            shelf.use(each)


def test_the_rules_that_were_used_last_stay_ready_and_the_others_are_packed() -> None:
    shelf, (one, two, three) = RuleShelf(ready_rules=2 * RULES), map(kept, ("one", "two", "three"))
    use(shelf, one, two, one, three)
    assert [one.state, two.state, three.state] == ["ready", "packed", "ready"]


def test_what_is_used_again_and_again_becomes_ready_again() -> None:
    shelf, one, two = RuleShelf(ready_rules=RULES, unpack_after=3), kept("one"), kept("two")
    before = one.rules
    use(shelf, one, two, one, one)
    assert [one.state, two.state] == ["packed", "ready"]
    use(shelf, one)
    assert [one.state, two.state] == ["ready", "packed"]
    assert one.rules == before


def test_beyond_the_bytes_for_packed_rules_the_oldest_are_forgotten() -> None:
    some = [kept(str(number)) for number in range(5)]
    size = PackedRules(kept("any").rules or RuleSet("")).size
    use(RuleShelf(ready_rules=RULES, packed_bytes=2 * size), *some)
    assert [each.state for each in some] == ["forgotten", "forgotten", "packed", "packed", "ready"]


def test_one_bucket_may_have_more_rules_than_fit() -> None:
    shelf, one = RuleShelf(ready_rules=1, packed_bytes=1), kept("one")
    use(shelf, one, one)
    assert one.state == "ready"


def test_rules_that_another_thread_is_using_are_left_alone() -> None:
    shelf, one, two = RuleShelf(ready_rules=RULES), kept("one"), kept("two")
    use(shelf, one)
    with one.lock:
        use(shelf, two)
        assert one.state == "ready"
    use(shelf, two)
    assert one.state == "packed"
