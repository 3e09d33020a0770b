"""The port `QueueAge` on CloudWatch: since when no message on the change queue can be older than that.

SQS tells the age of the oldest message only as a metric, a few minutes late, and leaves out messages that were received
three times or more without being deleted. Such a message has an entry in the journal, unless its invocation failed or
was throttled, or its handler could not record it. If any of that happened lately, the age says nothing.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from replicator.aws.asking import asking
from replicator.aws.clients import Clients
from replicator.aws.errors import Side
from replicator.core.outcomes.metrics import STACK, Metric
from replicator.core.outcomes.outcome import Permanent, Temporary

if TYPE_CHECKING:
    from types_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

MINUTE = 60
SETTLED_SECONDS = 180
"""By then the metrics of a minute are there: a message that left the age has left its trace in the others."""
LATEST_SECONDS = 15 * MINUTE
"""An age that is older than that is of no use."""
TROUBLE_SECONDS = 30 * MINUTE
"""By then any message has come back (`OVERDUE_MS`): what happened earlier concerns none that is still there."""


class ChangeQueueAge:
    """The age of one stack's change queue. The template names the function that it feeds after the stack."""

    def __init__(self, clients: Clients, namespace: str, stack: str, queue_url: str) -> None:
        self._clients = clients
        of_function, of_stack = {"FunctionName": f"{stack}-replicate"}, {STACK: stack}
        self._troubles = [
            _query("errors", "AWS/Lambda", "Errors", of_function, "Sum"),
            _query("throttles", "AWS/Lambda", "Throttles", of_function, "Sum"),
            _query("unrecorded", namespace, Metric.UNRECORDED, of_stack, "Sum"),
        ]
        name = queue_url.rpartition("/")[2]
        self._age = _query("age", "AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": name}, "Maximum")

    def oldest_sent(self, now: int) -> int | None:
        """Return a time before which no message on the queue was sent; None if it is unknown. Epoch milliseconds."""
        seconds = now // 1000
        try:
            found = self._ask(seconds)
        except (Temporary, Permanent):
            return None
        if any(value for name, values in found.items() if name != "age" for value in values.values()):
            return None
        settled = {
            time: age for time, age in found.get("age", {}).items() if time + MINUTE <= seconds - SETTLED_SECONDS
        }
        if not settled or max(settled) < seconds - LATEST_SECONDS:
            return None
        latest = max(settled)
        return round((latest - settled[latest]) * 1000)

    def _ask(self, now: int) -> dict[str, dict[int, float]]:
        """Return the values of each query by the time (epoch seconds) at which their minute begins."""
        end = datetime.fromtimestamp(now, UTC)
        with asking("GetMetricData", Side.METRICS):
            answer = self._clients.metrics(self._clients.region).get_metric_data(
                MetricDataQueries=[self._age, *self._troubles],
                StartTime=end - timedelta(seconds=TROUBLE_SECONDS),
                EndTime=end,
            )
            return {
                each["Id"]: {
                    int(time.timestamp()): value for time, value in zip(each["Timestamps"], each["Values"], strict=True)
                }
                for each in answer["MetricDataResults"]
            }


def _query(
    name: str, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str
) -> "MetricDataQueryTypeDef":
    place: Any = [{"Name": each, "Value": value} for each, value in dimensions.items()]
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": place},
            "Period": MINUTE,
            "Stat": statistic,
        },
    }
