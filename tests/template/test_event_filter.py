"""The filters of the change queue's mapping: their number, their size, and how a list of writers becomes a pattern.

What they drop is tested on the emulator, tests/emulator/test_event_filter.py.
"""

import json
import re
from typing import Any

import pytest
from moto.cloudformation.exceptions import ValidationError
from s3replicator.rules.event_filter import criteria

from emulator.cloudformation.template import StackIdentity, plain_template
from emulator.services.event_filters import LONGEST_PATTERN, MOST_FILTERS
from tests.template import stacks

LONGEST_STACK_NAME = 53
ROLE_ID = "AROA" + "X" * 17
ENTRY, MOST_ENTRIES = "AROAPEER:peer", 100


def patterns(name: str = "replicator", **parameters: str) -> list[str]:
    """Return the patterns as Lambda receives them, every role with an id of the usual length."""
    text = (stacks.ROOT / "template.yaml").read_text().replace("CodeUri: functions/", "CodeUri: s3://code/f.zip")
    plain = plain_template(text, parameters, StackIdentity(name, "us-east-1", stacks.ACCOUNT))
    filters = stacks.properties(plain, "ReplicateFunctionChanges")["FilterCriteria"]["Filters"]
    return [resolved(each["Pattern"]) for each in filters]


def resolved(node: Any) -> Any:
    if isinstance(node, str):
        return node
    [(function, argument)] = node.items()
    if function == "Fn::Sub":
        return re.sub(r"\$\{\w+\.RoleId\}", ROLE_ID, argument)
    separator, rest = argument
    return resolved(rest).split(separator) if function == "Fn::Split" else separator.join(parts(rest))


def parts(node: Any) -> list[str]:
    found: list[str] = [resolved(each) for each in node] if isinstance(node, list) else resolved(node)
    return found


def dropped(pattern: str) -> list[str]:
    """Return the principal ids that the first pattern names."""
    [rule] = json.loads(pattern)["body"]["Records"]["userIdentity"]["principalId"]
    return list(rule["anything-but"])


def test_the_first_filter_names_the_writers_of_the_stack_and_of_its_peers() -> None:
    own = [f"AWS:{ROLE_ID}:replicator-{function}" for function in ("replicate", "copy-parts", "batch")]
    assert dropped(patterns()[0]) == own
    peers = [f"{ROLE_ID}:peer-replicate", f"{ROLE_ID}:peer-batch"]
    assert dropped(patterns(PeerPrincipals=",".join(peers))[0]) == [*own, *(f"AWS:{each}" for each in peers)]


def test_the_command_knows_these_filters() -> None:
    """`rules put` adds writers to them, and leaves all others alone."""
    peers = f"{ROLE_ID}:peer-replicate,{ROLE_ID}:peer-batch"
    for found in (patterns(), patterns(PeerPrincipals=peers)):
        writers = [each.removeprefix("AWS:") for each in dropped(found[0])]
        assert [each["Pattern"] for each in criteria(writers)["Filters"]] == found


def test_the_filters_are_the_same_whatever_the_parameters_but_for_the_writers() -> None:
    assert patterns()[1:] == patterns(**stacks.EVERYTHING)[1:]


def test_as_many_peers_as_the_parameter_takes_fit_into_the_pattern() -> None:
    longest = stacks.source()["Parameters"]["PeerPrincipals"]["MaxLength"]
    peers = ",".join(["x" * ((longest + 1) // MOST_ENTRIES - 1)] * MOST_ENTRIES)
    peers += "x" * (longest - len(peers))
    found = patterns("s" * LONGEST_STACK_NAME, PeerPrincipals=peers)
    assert (len(peers), peers.count(",")) == (longest, MOST_ENTRIES - 1)
    assert len(found) <= MOST_FILTERS
    assert {len(each) for each in found if len(each) > LONGEST_PATTERN} == set()


@pytest.mark.parametrize(
    "peers",
    [f"{ENTRY}, {ENTRY}", f"{ENTRY},", '"', f'{ENTRY}"', ",".join(["x"] * (MOST_ENTRIES + 1))],
    ids=["a blank", "a comma at the end", "a quote", "a quote in a name", "too many"],
)
def test_peers_that_would_make_another_pattern_are_refused(peers: str) -> None:
    with pytest.raises(ValidationError):
        patterns(PeerPrincipals=peers)
