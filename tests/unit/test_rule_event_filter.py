"""The filters of a mapping as the rules commands read and extend them."""

import json

import pytest
from s3replicator.rules.event_filter import LONGEST_PATTERN, FilterFull, admit, criteria, writers_of

OWN = ("AROAOWN:prod-replicate", "AROAOWN:prod-batch")
PEER = ("AROAPEER:back-replicate",)


def test_the_writers_that_filters_were_made_for_are_read_back() -> None:
    assert writers_of(criteria(OWN)) == OWN
    assert writers_of(criteria(admit(OWN, PEER))) == (*OWN, *PEER)


def test_admitting_keeps_what_is_there_and_adds_nothing_twice() -> None:
    assert admit(("stranger", *OWN), (*PEER, *OWN)) == ("stranger", *OWN, *PEER)
    assert admit(OWN, OWN) == OWN


def test_the_form_of_the_json_does_not_matter() -> None:
    texts = [json.dumps(json.loads(each["Pattern"]), indent=1) for each in criteria(OWN)["Filters"]]
    assert writers_of({"Filters": [{"Pattern": text} for text in texts]}) == OWN


def test_more_writers_than_a_pattern_holds_are_refused() -> None:
    room = LONGEST_PATTERN - len(criteria([""])["Filters"][0]["Pattern"])
    assert len(criteria(["x" * room])["Filters"][0]["Pattern"]) == LONGEST_PATTERN
    with pytest.raises(FilterFull):
        criteria(["x" * (room + 1)])


FIRST, *OTHERS = criteria(OWN)["Filters"]


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"Filters": []},
        {"Filters": [FIRST]},
        {"Filters": OTHERS},
        {"Filters": [FIRST, *OTHERS, {"Pattern": '{"body": {"mine": ["x"]}}'}]},
        {"Filters": [{"Pattern": FIRST["Pattern"].replace("Records", "Others")}, *OTHERS]},
        {"Filters": [{"Pattern": "{"}, *OTHERS]},
        {"Filters": [{"Pattern": "[]"}, *OTHERS]},
        {"Filters": [{}, *OTHERS]},
        {"Filters": None},
    ],
    ids=["none", "an empty list", "the others are missing", "the first is missing", "one more", "another field",
         "no JSON", "a list", "no pattern", "null"],
)  # fmt: skip
def test_filters_of_somebody_else_are_not_taken_for_ours(found: dict[str, object]) -> None:
    assert writers_of(found) is None
