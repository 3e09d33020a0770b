"""The port `Regions` on CloudWatch: figures of pairs of buckets, published in the Region of the destination.

Separate from measures.py, whose metrics Lambda takes from the log and publishes in the stack's own Region. Values have
the second at which the monitor looked as their timestamp: whoever reads them sees which belong together, and how old
they are.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import asking
from replicator.aws.clients import Clients
from replicator.aws.errors import Side
from replicator.core.deciding.target import Target
from replicator.core.outcomes.metrics import DESTINATION, FIGURES, SOURCE
from replicator.core.outcomes.recovery import Buckets, Figures, values_of

if TYPE_CHECKING:
    from types_boto3_cloudwatch.type_defs import MetricDatumTypeDef

PAIRS_PER_REQUEST = 1000 // len(FIGURES)
"""A request may have 1,000 metrics. Those of one pair are in one request, so that all of them arrive, or none."""


class DestinationMetrics:
    """Publishes figures. A bucket's Region never changes: it is asked for once per container."""

    def __init__(self, clients: Clients, namespace: str) -> None:
        self._clients = clients
        self._namespace = namespace
        self._regions: dict[str, str] = {}

    def of(self, target: Target) -> str:
        """Return a bucket's Region. Raises Temporary or Permanent, and soon."""
        if target.bucket not in self._regions:
            owner: dict[str, Any] = {"ExpectedBucketOwner": target.account} if target.account else {}
            with asking("HeadBucket", Side.DESTINATION):
                answer = self._clients.toward(target).finder().head_bucket(Bucket=target.bucket, **owner)
            self._regions[target.bucket] = answer.get("BucketRegion") or self._clients.region
        return self._regions[target.bucket]

    def publish(self, region: str, figures: Mapping[Buckets, Figures]) -> None:
        """Publish figures in a Region. Raises Temporary or Permanent, and soon."""
        pairs = iter(figures.items())
        while some := list(islice(pairs, PAIRS_PER_REQUEST)):
            data = [datum for buckets, each in some for datum in _data(buckets, each)]
            with asking("PutMetricData", Side.METRICS):
                self._clients.metrics(region).put_metric_data(Namespace=self._namespace, MetricData=data)


def _data(buckets: Buckets, figures: Figures) -> Iterator["MetricDatumTypeDef"]:
    source, destination = buckets
    for metric, value in values_of(figures).items():
        yield {
            "MetricName": metric,
            "Dimensions": [{"Name": SOURCE, "Value": source}, {"Name": DESTINATION, "Value": destination}],
            "Timestamp": datetime.fromtimestamp(figures.looked, UTC),
            "Value": value,
            "Unit": FIGURES[metric].unit.value,
            "StorageResolution": 1,
        }
