"""The latest figures about a pair of buckets, from CloudWatch in the Region of the destination.

Every request gives up soon and is made once: a Region that is down must not keep anybody waiting who wants to leave it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from replicator.core.outcomes.metrics import DESTINATION, FIGURES, NAMESPACE, SOURCE, Metric
from replicator.core.outcomes.recovery import Buckets, Figures, figures_of

from s3replicator.calls import calling

QUICK = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})
BACK_SECONDS = 2 * 3600
"""How far back figures are looked for. CloudWatch keeps single seconds for three hours."""
FOUND_IN: dict[str, tuple[str, ...]] = {
    "cn-": ("cn-north-1", "cn-northwest-1"),
    "us-gov-": ("us-gov-west-1", "us-gov-east-1"),
    "": ("us-east-1", "us-west-2", "eu-west-1"),
}
"""Where to ask for a bucket's Region, by the beginning of the stack's Region: any Region of its partition knows."""

ClientOf = Callable[[str, str], Any]
"""Service and Region -> boto3 client. Any: boto3 has one client type per service, chosen by the text of its name."""


def find_region(clients: ClientOf, bucket: str, stack_region: str | None) -> str | None:
    """Return a bucket's Region, asking other Regions before the stack's; None if none of them knows."""
    return next(filter(None, (_ask(clients, bucket, each) for each in _regions(stack_region or ""))), None)


def _regions(stack_region: str) -> Iterator[str]:
    start = next(each for each in FOUND_IN if stack_region.startswith(each))
    yield from (each for each in FOUND_IN[start] if each != stack_region)
    if stack_region:
        yield stack_region


def _ask(clients: ClientOf, bucket: str, region: str) -> str | None:
    """Ask one Region. S3 names a bucket's Region even where it denies the request."""
    try:
        answer = clients("s3", region).head_bucket(Bucket=bucket)
    except ClientError as error:
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return str(headers.get("x-amz-bucket-region") or "") or None
    except BotoCoreError:
        return None
    return str(answer.get("BucketRegion") or region)


def latest_figures(cloudwatch: Any, buckets: Buckets, now: int) -> Figures | None:
    """Return the newest complete figures; None if there are none. now: epoch seconds. Raises CallFailed."""
    by_second: dict[int, dict[Metric, float]] = defaultdict(dict)
    for metric, second, value in _values(cloudwatch, buckets, now):
        by_second[second][metric] = value
    newest_first = (figures_of(second, by_second[second]) for second in sorted(by_second, reverse=True))
    return next(filter(None, newest_first), None)


def _values(cloudwatch: Any, buckets: Buckets, now: int) -> Iterator[tuple[Metric, int, float]]:
    queries = {f"q{number}": metric for number, metric in enumerate(FIGURES)}
    with calling("cloudwatch:GetMetricData"):
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[_query(name, metric, buckets) for name, metric in queries.items()],
            StartTime=datetime.fromtimestamp(now - BACK_SECONDS, UTC),
            EndTime=datetime.fromtimestamp(now + 60, UTC),
        )
        for result in (each for page in pages for each in page["MetricDataResults"]):
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                yield queries[result["Id"]], int(moment.timestamp()), value


def _query(name: str, metric: Metric, buckets: Buckets) -> dict[str, Any]:
    """Ask for single seconds. Should two values ever have the same second, the worse one counts."""
    place = [{"Name": each, "Value": value} for each, value in zip((SOURCE, DESTINATION), buckets, strict=True)]
    worse = "Minimum" if metric in {Metric.RECOVERY_POINT, Metric.OLDEST_MISSING} else "Maximum"
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": place},
            "Period": 1,
            "Stat": worse,
        },
    }
