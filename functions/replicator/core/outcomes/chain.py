"""Chains of invocations, as trace headers tell them -> whether a change must begin a new one.

Lambda counts how often a function was invoked in the chain of events behind an invocation, and stops a chain after 16
rounds (developer guide, "Use Lambda recursive loop detection to prevent infinite loops"). A batch has one trace: all
that it writes inherits the longest chain of its messages, though most of them began none. Separate from the events,
whose bodies know nothing of it.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

LONG = 8
"""Rounds: half of those after which Lambda stops a chain. Enough are left for what is on its way."""
SHORT = 4
"""Rounds: a change whose own chain is longer may belong to a loop, which Lambda is to stop."""

_MANY = re.compile(r"[0-9a-f]{1,16}:\d{1,5}(?:\|[0-9a-f]{1,16}:\d{1,5})*")
_ONE = re.compile(r"(\d{1,5}):[0-9a-f]{1,16}:(\d{1,5})")


def rounds(header: str) -> int | None:
    """Return the rounds of the chain in a trace header, 0 if it has no Lineage; None if it cannot be read.

    No page describes Lineage. Headers from AWS have two forms: `<hash>:<rounds>` for each function, joined by `|`,
    until 2024; `<invocations>:<hash>:<rounds>` since. A function's first invocation is in round 0. Which function the
    newer form counts is not known. A loop of two stacks has two functions, so half of the invocations counts as well.
    """
    fields = dict(each.split("=", 1) for each in header.split(";") if "=" in each)
    if "Root" not in fields:
        return None
    lineage = unquote(fields.get("Lineage", ""))
    if one := _ONE.fullmatch(lineage):
        return max(int(one[2]), int(one[1]) // 2)
    if _MANY.fullmatch(lineage):
        return max(int(each.partition(":")[2]) for each in lineage.split("|"))
    return None if lineage else 0


def needs_new_chain(invocation: str, own: str, batch: Iterable[str]) -> bool:
    """Return whether a change would inherit a long chain that is not its own.

    invocation: the trace header of the invocation. own: that of the change's message, empty if it has none, as one of
    somebody outside Lambda has none. batch: those of all messages. Whose chain the invocation has must be seen: if no
    message shows it, headers do not arrive, and a change without one may belong to a loop. What cannot be read never
    needs a new chain.
    """
    whole, mine = rounds(invocation), rounds(own) if own else 0
    if whole is None or mine is None or whole < LONG or mine > SHORT:
        return False
    return any((rounds(each) or 0) + 1 >= whole for each in batch)
