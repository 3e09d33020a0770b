"""How the events of a source bucket of another account reach the stack: what that account has to set up.

Pure. A notification goes straight to the stack's queue, whose policy admits the account by the parameter
`SourceAccount`. Events of EventBridge go to the bus of the bucket's account, where a rule forwards them.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from s3replicator.bucket_notifications import EVENT_BRIDGE, attach
from s3replicator.grants.grant import document
from s3replicator.stack_facts import StackFacts

DETAIL_TYPES = (
    "Object Created",
    "Object Deleted",
    "Object Restore Completed",
    "Object Tags Added",
    "Object Tags Deleted",
    "Object ACL Updated",
)
"""Those of the stack's own rule, in template.yaml."""
NAME_LENGTH = 64
"""Of a rule or a role (IAM and EventBridge quotas)."""


@dataclass(frozen=True, slots=True)
class EventPlan:
    """What the account of a source bucket sets up so that events arrive."""

    account: str
    bucket: str
    stack: StackFacts

    @property
    def name(self) -> str:
        """Return the name of the rule that forwards events, and of the role that it sends them as."""
        return f"s3replicator-{self.stack.name}"[:NAME_LENGTH]

    @property
    def _partition(self) -> str:
        return self.stack.change_queue_arn.split(":")[1]

    @property
    def _bus(self) -> str:
        return f"arn:{self._partition}:events:{self.stack.region}:{self.stack.account}:event-bus/default"

    def documents(self) -> dict[str, Any]:
        """Return the bucket's notification configuration, and the rule if the stack takes events of EventBridge."""
        configuration: Mapping[str, Any] = {EVENT_BRIDGE: {}} if self.stack.event_bridge else {}
        attached = attach(
            configuration, self.stack.change_queue_arn, self.stack.name, event_bridge=self.stack.event_bridge
        )
        found: dict[str, Any] = {"notifications": {self.bucket: dict(attached.wanted or {})}}
        if self.stack.event_bridge:
            found["event_rules"] = {self.name: self._rule()}
        return found

    def roles(self) -> dict[str, Any]:
        """Return the role that EventBridge sends events as; none without EventBridge."""
        if not self.stack.event_bridge:
            return {}
        trust = {
            "Sid": "LetEventBridgeAssume",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        forward = {"Sid": "ForwardEvents", "Effect": "Allow", "Action": "events:PutEvents", "Resource": self._bus}
        return {self.name: {"arn": self._role_arn, "trust": document([trust]), "policy": document([forward])}}

    @property
    def _role_arn(self) -> str:
        return f"arn:{self._partition}:iam::{self.account}:role/{self.name}"

    def _rule(self) -> dict[str, Any]:
        return {
            "region": self.stack.region,
            "pattern": {
                "source": ["aws.s3"],
                "detail-type": list(DETAIL_TYPES),
                "detail": {"bucket": {"name": [self.bucket]}},
            },
            "targets": [{"Id": "replicator", "Arn": self._bus, "RoleArn": self._role_arn}],
        }
