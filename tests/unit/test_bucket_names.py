"""A command takes a name with an asterisk for the same buckets as the roles' policies do."""

from hypothesis import given
from hypothesis import strategies as st
from replicator.core.deciding.bucket_names import includes
from replicator.runtime import Settings
from s3replicator.stack import stack_facts

from emulator.iam.patterns import arn_like

NAMES = st.text("ab.-*", min_size=1, max_size=8)
BUCKETS = st.text("ab.-", min_size=1, max_size=8)
OUTPUTS = {"ChangeQueueArn": "arn:aws:sqs:us-east-1:123456789012:q", "ChangeQueue": "https://q", "ControlBucket": "c"}


@given(NAMES, BUCKETS)
def test_a_name_includes_what_iam_takes_it_for(name: str, bucket: str) -> None:
    assert includes([name], bucket) == arn_like(f"arn:aws:s3:::{name}", f"arn:aws:s3:::{bucket}")


def test_an_asterisk_stands_for_any_characters_and_nothing_else_has_a_meaning() -> None:
    names = ["team-*-data", "plain", "a.b"]
    included = ["team-x-data", "team--data", "team-x-data-data", "plain", "a.b"]
    assert [each for each in included if not includes(names, each)] == []
    assert [each for each in ("team-data", "team-x-data2", "plain2", "aXb", "*") if includes(names, each)] == []


def test_the_facts_of_a_stack_know_patterns() -> None:
    parameters = {"SourceBuckets": "team-*, other", "DestinationBuckets": "backup-*"}
    facts = stack_facts("prod", "us-east-1", parameters, OUTPUTS)
    assert [facts.reads_from(each) for each in ("team-a", "other", "backup-a")] == [True, True, False]
    assert [facts.writes_to(each) for each in ("team-a", "other", "backup-a")] == [False, False, True]


def test_a_pattern_is_no_bucket_that_the_default_rule_could_apply_to() -> None:
    """Neither to the command nor to the functions."""
    parameters = {"SourceBuckets": "team-*,other", "DefaultDestination": "west"}
    assert stack_facts("prod", "us-east-1", parameters, OUTPUTS).default_source == ""
    environment = {"CONTROL_BUCKET": "c", "JOURNAL_TABLE": "t", "DEFAULT_DESTINATION_BUCKET": "west"}
    assert Settings.read(environment | {"DEFAULT_SOURCE_BUCKET": "team-*"}).default_rule is None
    assert Settings.read(environment | {"DEFAULT_SOURCE_BUCKET": "other"}).default_rule == ("other", "west")
