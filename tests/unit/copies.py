"""The copy that the tests of requests begin with; values.py has the facts that it is made of."""

from dataclasses import replace

from replicator.core.deciding.copy import Copy, compose

from tests.unit.values import head, proposed_copy, rule


def plain(key: str = "photos/1.jpg") -> Copy:
    """Return the copy of a version that has nothing special."""
    return replace(compose(proposed_copy(head(), under=rule(replica_tag=False))), key=key)
