"""The copy that the tests of requests begin with; values.py has the facts that it is made of."""

from dataclasses import replace

from replicator.core.deciding.copy import Copy, compose

from tests.unit.values import case, head, rule


def plain(key: str = "photos/1.jpg") -> Copy:
    """Return the copy of a version that has nothing special."""
    return replace(compose(case(head(), under=rule(replica_tag=False))), key=key)
