"""What the control buckets of both directions hold about each other: rules, and queues that changes are forwarded to.

Separate from the documents of the stack itself, because each call names the stack whose control bucket is meant.
"""

from collections.abc import Callable
from typing import Any

from replicator.aws import peer_queues, rule_store

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed
from s3replicator.stack_facts import StackFacts

# Any: boto3 has one client type per service, chosen by the text of its name.
ClientOf = Callable[[str, str], Any]


class PeerFiles:
    """The port `PeerDocuments` on S3. `clients` returns the client of a service in a Region."""

    def __init__(self, clients: ClientOf) -> None:
        self._clients = clients

    def rules(self, stack: StackFacts, bucket: str) -> bytes | None:
        """Return the rule document of a source bucket of a stack, or None. Raises CallFailed."""
        return self._get(stack, rule_store.document_key(bucket))

    def record(self, stack: StackFacts, bucket: str) -> bytes | None:
        """Return the record of a source bucket of a stack, or None. Raises CallFailed."""
        return self._get(stack, peer_queues.document_key(bucket))

    def keep(self, stack: StackFacts, bucket: str, text: bytes) -> None:
        """Store the record of a source bucket of a stack. Raises CallFailed."""
        key, kind = peer_queues.document_key(bucket), "application/json"
        with calling("s3:PutObject"):
            self._s3(stack).put_object(Bucket=stack.control_bucket, Key=key, Body=text, ContentType=kind)

    def forget(self, stack: StackFacts, bucket: str) -> None:
        """Put a delete marker on the record of a source bucket of a stack. Raises CallFailed."""
        with calling("s3:DeleteObject"):
            self._s3(stack).delete_object(Bucket=stack.control_bucket, Key=peer_queues.document_key(bucket))

    def _get(self, stack: StackFacts, key: str) -> bytes | None:
        try:
            with calling("s3:GetObject"):
                text: bytes = self._s3(stack).get_object(Bucket=stack.control_bucket, Key=key)["Body"].read()
                return text
        except CallFailed as failed:
            if failed.call.code == "NoSuchKey":
                return None
            raise

    def _s3(self, stack: StackFacts) -> Any:
        return self._clients("s3", stack.region)
