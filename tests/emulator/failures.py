"""The messages in a stack's dead-letter queue, received and deleted as an operator's script would."""

import json
from dataclasses import dataclass
from typing import Any

from emulator.running import Running


@dataclass(frozen=True)
class FailedMessage:
    """One failure: its message and its attributes as texts."""

    body: str
    attributes: dict[str, str]

    @property
    def s3_object(self) -> dict[str, Any]:
        """Return the object of the one record in it."""
        [record] = json.loads(self.body)["Records"]
        return dict(record["s3"]["object"])

    @property
    def version_id(self) -> str:
        return str(self.s3_object["versionId"])


def take_failures(emulator: Running, stack: str = "prod") -> list[FailedMessage]:
    """Take everything out of the dead-letter queue."""
    deployed, url = emulator.stacks[stack], emulator.outputs(stack)["DeadLetterQueue"]
    sqs = emulator.client("sqs", deployed.region, account=url.split("/")[-2])
    failures: list[FailedMessage] = []
    while messages := _receive(sqs, url):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            attributes = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
            failures.append(FailedMessage(message["Body"], attributes))
    return failures


def _receive(sqs: Any, url: str) -> list[dict[str, Any]]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return list(answer.get("Messages", []))
