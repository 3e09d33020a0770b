"""Whether an SQS queue's policy lets S3 send the events of a bucket, as far as the policy alone shows.

Separate because S3's own answer is of little help: when a notification is set, it says only that it could not validate
the destination.
"""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any


def accepts_events_of(policy: str, queue_arn: str, bucket: str) -> bool:
    """Return whether a statement allows S3 to send messages for the bucket. Deny statements are not considered."""
    bucket_arn = f"arn:{queue_arn.split(':')[1]}:s3:::{bucket}"
    try:
        document = json.loads(policy)
    except ValueError:
        return False
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    return any(_allows(each, bucket_arn) for each in _list(statements) if isinstance(each, dict))


def _allows(statement: Mapping[str, Any], bucket_arn: str) -> bool:
    if statement.get("Effect") != "Allow" or not _names_s3(statement.get("Principal")):
        return False
    if not any(fnmatchcase("sqs:sendmessage", str(action).lower()) for action in _list(statement.get("Action"))):
        return False
    sources = list(_source_arns(statement.get("Condition")))
    return not sources or any(fnmatchcase(bucket_arn, source) for source in sources)


def _names_s3(principal: object) -> bool:
    named = principal.get("Service", principal.get("AWS")) if isinstance(principal, dict) else principal
    return bool({"*", "s3.amazonaws.com"} & {str(name) for name in _list(named)})


def _source_arns(condition: object) -> Iterator[str]:
    for operator in condition.values() if isinstance(condition, dict) else ():
        for key, values in operator.items() if isinstance(operator, dict) else ():
            if str(key).lower() == "aws:sourcearn":
                yield from map(str, _list(values))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
