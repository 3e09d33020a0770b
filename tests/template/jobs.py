"""Jobs of S3 Batch Operations that need everything that the role for them may do.

Beside the objects of every kind, because no function makes these requests: S3 itself does, as the role.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from emulator.running import Running

_numbers = count(1)


def run_jobs(aws: Running, stack: str) -> None:
    """Run jobs of S3 Batch Operations: with a version of a manifest, and with one that S3 generates."""
    s3, control, jobs = aws.client("s3"), aws.outputs(stack)["ControlBucket"], f"jobs-{next(_numbers)}"
    stored = s3.put_object(Bucket=control, Key=f"jobs/{jobs}.csv", Body=b"east,in-order")
    where = {"ObjectArn": f"arn:aws:s3:::{control}/jobs/{jobs}.csv", "ETag": stored["ETag"]}
    spec = {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]}
    generator = {
        "SourceBucket": "arn:aws:s3:::east",
        "EnableManifestOutput": True,
        "ManifestOutputLocation": {
            "Bucket": f"arn:aws:s3:::{control}",
            "ManifestPrefix": f"jobs/{jobs}",
            "ManifestFormat": "S3InventoryReport_CSV_20211130",
        },
        "Filter": {"KeyNameConstraint": {"MatchAnyPrefix": ["in-order"]}},
    }
    eligible = {**generator, "Filter": {"EligibleForReplication": True}}
    sources: list[dict[str, Any]] = [
        {"Manifest": {"Spec": spec, "Location": where}},
        {"Manifest": {"Spec": spec, "Location": {**where, "ObjectVersionId": stored["VersionId"]}}},
        *({"ManifestGenerator": {"S3JobManifestGenerator": each}} for each in (generator, eligible)),
    ]
    account = aws.outputs(stack)["BatchJobsRole"].split(":")[4]
    for source in sources:
        aws.client("s3control").create_job(
            AccountId=account,
            ConfirmationRequired=False,
            Operation={"LambdaInvoke": {"FunctionArn": aws.outputs(stack)["BatchFunction"]}},
            Report={
                "Bucket": f"arn:aws:s3:::{control}",
                "Prefix": f"jobs/{jobs}",
                "Format": "Report_CSV_20180820",
                "Enabled": True,
                "ReportScope": "AllTasks",
            },
            ClientRequestToken=f"{jobs}-{next(_numbers)}",
            Priority=1,
            RoleArn=aws.outputs(stack)["BatchJobsRole"],
            **source,
        )
    assert aws.idle()
    listed = aws.client("s3control").list_jobs(AccountId=account)["Jobs"]
    # The bucket has no replication by S3 itself, so that nothing is eligible for it.
    assert sorted(each["Status"] for each in listed) == ["Complete"] * 3 + ["Failed"]
