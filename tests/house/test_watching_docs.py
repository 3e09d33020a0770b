"""The pages on operating, metrics and reasons name every alarm, metric, dimension and reason code, and no other."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from replicator.core.outcomes.metrics import (
    AGE,
    BY_AGE,
    BY_BUCKETS,
    BY_REASON,
    BY_RULE,
    BY_STACK,
    FIGURES,
    METRICS,
    Metric,
)
from replicator.core.outcomes.notices import NoticeKind
from replicator.core.outcomes.outcome import Reason
from replicator.core.outcomes.threshold import REPORTED_AGES
from s3replicator.advice import ADVICE

from tests.template import stacks

DOCS = Path(__file__).parents[2] / "docs"
NAMES = {BY_RULE: "rule", BY_REASON: "reason", BY_STACK: "stack", BY_AGE: "age", BY_BUCKETS: "buckets"}


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    text = (DOCS / page).read_text().partition(f"{heading}\n")[2]
    return next(tables(text))


def tables(text: str) -> Iterator[list[list[str]]]:
    """Yield the cells of every table in a text, without the heads."""
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        yield [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_every_metric_is_described_with_its_unit_and_dimensions() -> None:
    found = {row[0].strip("`"): (row[1], set(row[3].split(", "))) for row in rows("metrics.md", "# Metrics")}
    published = {metric: [each[metric] for each in (METRICS, FIGURES) if metric in each] for metric in Metric}
    assert found == {
        str(metric): (str(kinds[0].unit), {NAMES[names] for kind in kinds for names in kind.sets})
        for metric, kinds in published.items()
    }


def not_named(page: str, names: Iterable[str]) -> list[str]:
    """Return the names that a page does not have as code."""
    text = (DOCS / page).read_text()
    return [name for name in names if f"`{name}`" not in text]


def test_every_dimension_is_named() -> None:
    dimensions = {name for kind in METRICS.values() for names in kind.sets for name in names} - {AGE}
    assert not_named("metrics.md", sorted(dimensions)) == []


def test_every_age_that_is_reported_is_named() -> None:
    assert not_named("metrics.md", map(str, REPORTED_AGES)) == []


def test_every_kind_of_event_is_named() -> None:
    assert not_named("metrics.md", map(str, NoticeKind)) == []


def test_every_alarm_is_explained_with_first_steps() -> None:
    alarms = stacks.resources(stacks.stack(), "AWS::CloudWatch::Alarm").values()
    names = {str(each["Properties"]["AlarmName"]).removeprefix("replicator-") for each in alarms}
    found = {row[0]: row[2] for row in rows("operate.md", "## What each alarm means")}
    assert set(found) == names
    assert [name for name, steps in found.items() if len(steps.split()) <= 3] == []


def test_every_reason_is_listed_with_the_advice_that_the_command_gives() -> None:
    listed = [row for table in tables((DOCS / "reference" / "reason-codes.md").read_text()) for row in table]
    assert {row[0].strip("`"): row[2] for row in listed} == {str(reason): ADVICE[reason] for reason in Reason}
    assert len(listed) == len(Reason), "each in one group"


def test_the_page_on_operating_leads_to_the_reasons() -> None:
    assert "(reference/reason-codes.md)" in (DOCS / "operate.md").read_text()
