"""Trace headers -> the rounds of a chain, and whether a change must begin a new one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicator.core.outcomes.chain import LONG, SHORT, needs_new_chain, rounds

ROOT = "Root=1-64d38018-6a56d23a731e0cbe6ed85687"
LAMBDAS_LIMIT = 16


def header(turns: int, invocations: int | None = None) -> str:
    """Return a header of today's form; twice as many invocations as rounds are those of a pair of functions."""
    count = 2 * turns + 1 if invocations is None else invocations
    return f"{ROOT};Parent=1e4dbd311c45e826;Sampled=0;Lineage={count}:037bed70:{turns}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{ROOT};Parent=1e4dbd311c45e826;Sampled=0;Lineage=1:037bed70:0", 0),
        (f"{ROOT};Parent=1e4dbd311c45e826;Sampled=0;Lineage=25:037bed70:12", 12),
        (f"{ROOT};Parent=1e4dbd311c45e826;Sampled=0;Lineage=25:037bed70:3", 12),
        (f"{ROOT};Parent=1e4dbd311c45e826;Sampled=0;Lineage=037bed70:7", 7),
        (f"{ROOT};Sampled=1;Lineage=a87bd80c:1|68fd508a:5|c512fbe3:2", 5),
        (f"{ROOT};Sampled=1;Lineage=28b1e350:0%7C74085691:4", 4),
        (f"{ROOT};Lineage=1:037bed70:2;Parent=1e4dbd311c45e826;Self=1-2-3", 2),
        (f"{ROOT};Parent=1e4dbd311c45e826;Sampled=0", 0),
        (ROOT, 0),
        ("", None),
        ("Lineage=1:037bed70:2", None),
        (f"{ROOT};Lineage=2", None),
        (f"{ROOT};Lineage=1:2:3:4", None),
        (f"{ROOT};Lineage=037bed70:-1", None),
        (f"{ROOT};Lineage={'9' * 9}:037bed70:1", None),
    ],
    ids=["the first invocation", "a pair in its rounds", "many invocations in few rounds", "one function, older form",
         "many functions, older form", "as SQS encodes them", "fields in another order", "no lineage", "a root only",
         "nothing", "no root", "one number", "four fields", "a negative number", "a number too long"],
)  # fmt: skip
def test_a_header_is_read_in_every_form_that_was_seen(text: str, found: int | None) -> None:
    assert rounds(text) == found


USERS, ECHO = "", header(LONG)


def test_a_users_write_in_a_batch_with_a_long_echo_needs_a_new_chain() -> None:
    batch = [USERS, ECHO, header(1)]
    assert [needs_new_chain(header(LONG), own, batch) for own in batch] == [True, False, True]


def test_in_a_short_chain_nothing_does() -> None:
    batch = [USERS, header(LONG - 1)]
    assert [needs_new_chain(header(LONG - 1), own, batch) for own in batch] == [False, False]


def test_what_may_belong_to_a_loop_never_does() -> None:
    batch = [header(turns) for turns in range(LAMBDAS_LIMIT)]
    needed = [needs_new_chain(header(LAMBDAS_LIMIT), own, batch) for own in batch]
    assert needed == [turns <= SHORT for turns in range(LAMBDAS_LIMIT)]
    assert LONG > SHORT


def test_a_chain_that_no_message_shows_leaves_all_as_it_is() -> None:
    """Headers do not arrive then: the message without one may be the one that loops."""
    assert not needs_new_chain(header(LONG), USERS, [USERS])
    assert not needs_new_chain(header(LONG), USERS, [USERS, header(1)])
    assert not needs_new_chain(header(LONG), header(1), [header(1), USERS])


@pytest.mark.parametrize("unreadable", ["Root", "?", f"{ROOT};Lineage=?"], ids=["no fields", "noise", "no lineage"])
def test_what_cannot_be_read_never_does(unreadable: str) -> None:
    assert not needs_new_chain(header(LONG), unreadable, [unreadable, ECHO])
    assert not needs_new_chain(unreadable, USERS, [USERS, ECHO])
    assert not needs_new_chain("", USERS, [USERS, ECHO])
    assert needs_new_chain(header(LONG), USERS, [USERS, ECHO, unreadable]), "another message's header harms nobody"


@given(st.lists(st.text(max_size=80) | st.integers(0, 20).map(header), max_size=4), st.text(max_size=80))
def test_no_header_raises(batch: list[str], text: str) -> None:
    for own in [*batch, text]:
        needs_new_chain(text, own, batch)
        if needs_new_chain(header(LONG), own, batch):
            assert (rounds(own) or 0) <= SHORT
