"""Whether an SQS queue's policy lets S3 send the events of a bucket, as far as the policy alone shows.

Separate because S3's own answer is of little help: when a notification is set, it says only that it could not validate
the destination.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from s3replicator.policy_patterns import arn_like, as_list, like


def accepts_events_of(policy: str, queue_arn: str, bucket: str) -> bool:
    """Return whether a statement allows S3 to send messages for the bucket. Deny statements are not considered."""
    bucket_arn = f"arn:{queue_arn.split(':')[1]}:s3:::{bucket}"
    try:
        document = json.loads(policy)
    except ValueError:
        return False
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    return any(_allows(each, bucket_arn) for each in as_list(statements) if isinstance(each, dict))


def _allows(statement: Mapping[str, Any], bucket_arn: str) -> bool:
    if statement.get("Effect") != "Allow" or not _names_s3(statement.get("Principal")):
        return False
    if not any(like(str(action).lower(), "sqs:sendmessage") for action in as_list(statement.get("Action"))):
        return False
    sources = list(_source_arns(statement.get("Condition")))
    return not sources or any(arn_like(source, bucket_arn) for source in sources)


def _names_s3(principal: object) -> bool:
    named = principal.get("Service", principal.get("AWS")) if isinstance(principal, dict) else principal
    return bool({"*", "s3.amazonaws.com"} & {str(name) for name in as_list(named)})


def _source_arns(condition: object) -> Iterator[str]:
    for operator in condition.values() if isinstance(condition, dict) else ():
        for key, values in operator.items() if isinstance(operator, dict) else ():
            if str(key).lower() == "aws:sourcearn":
                yield from map(str, as_list(values))
