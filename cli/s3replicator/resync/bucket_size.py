"""How many objects a bucket has, as S3 tells CloudWatch once a day: what the choice of an engine depends on.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from s3replicator.calls import calling

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient

DAY = 86_400


def objects_in(bucket: str, cloudwatch: "CloudWatchClient") -> int | None:
    """Return the number of versions and delete markers, a day or two old; None if nobody knows. Raises CallFailed."""
    end = datetime.now(UTC)
    with calling("cloudwatch:GetMetricData"):
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "objects",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/S3",
                            "MetricName": "NumberOfObjects",
                            "Dimensions": [
                                {"Name": "BucketName", "Value": bucket},
                                {"Name": "StorageType", "Value": "AllStorageTypes"},
                            ],
                        },
                        "Period": DAY,
                        "Stat": "Average",
                    },
                }
            ],
            StartTime=end - timedelta(days=3),
            EndTime=end,
        )
        values = [value for each in answer["MetricDataResults"] for value in each["Values"]]
    return round(max(values)) if values else None
