"""The port `Mappings` on AWS: event source mappings by Lambda, the stack of a queue by its tags and CloudFormation.

CloudFormation gives every resource a tag with the name of its stack, so no list of all stacks is needed. CloudFormation
user guide, "Resource tag"; Lambda API reference, `ListEventSourceMappings` and `UpdateEventSourceMapping`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed, FailedCall
from s3replicator.rules.peers import FilterView
from s3replicator.stack import OUTPUTS, stack_facts
from s3replicator.stack_facts import StackFacts

# Any: boto3 has one client type per service, chosen by the text of its name.
ClientOf = Callable[[str, str], Any]
_NO_SUCH_QUEUE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
STACK_TAG = "aws:cloudformation:stack-name"


class AwsMappings:
    """The port `Mappings` on AWS. `clients` returns the client of a service in a Region."""

    def __init__(self, clients: ClientOf) -> None:
        self._clients = clients
        self._known: dict[str, StackFacts | None] = {}

    def stack_of(self, queue_arn: str) -> StackFacts | None:
        """Return the stack whose change queue this is; None if it belongs to no replicator. Raises CallFailed."""
        if queue_arn not in self._known:
            self._known[queue_arn] = self._find(queue_arn)
        return self._known[queue_arn]

    def view(self, stack: StackFacts) -> FilterView:
        """Return the mapping of a stack's change queue. Raises CallFailed, also if there is none."""
        action = "lambda:ListEventSourceMappings"
        with calling(action):
            pages = self._clients("lambda", stack.region).get_paginator("list_event_source_mappings")
            found = pages.paginate(EventSourceArn=stack.change_queue_arn).build_full_result()["EventSourceMappings"]
        for each in found:
            if each["FunctionArn"].split(":")[6] == stack.replicate_function:
                return FilterView(each["UUID"], each.get("FilterCriteria", {}))
        missing = f"no event source mapping from the queue to {stack.replicate_function or 'a function'}"
        raise CallFailed(FailedCall(action, "ResourceNotFoundException", missing))

    def replace(self, stack: StackFacts, mapping: str, filters: Mapping[str, Any]) -> None:
        """Replace all filters of a mapping. Raises CallFailed."""
        with calling("lambda:UpdateEventSourceMapping"):
            self._clients("lambda", stack.region).update_event_source_mapping(UUID=mapping, FilterCriteria=filters)

    def _find(self, queue_arn: str) -> StackFacts | None:
        region = queue_arn.split(":")[3]
        stack = self._stack_name(queue_arn)
        if not stack:
            return None
        with calling("cloudformation:DescribeStacks"):
            [described] = self._clients("cloudformation", region).describe_stacks(StackName=stack)["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
        if outputs.get("ChangeQueueArn") != queue_arn or not {*OUTPUTS, "ReplicatorPrincipals"} <= outputs.keys():
            return None
        parameters = {each["ParameterKey"]: each.get("ParameterValue", "") for each in described.get("Parameters", [])}
        return stack_facts(stack, region, parameters, outputs)

    def _stack_name(self, queue_arn: str) -> str:
        """Return the name of the stack that a queue was created by; empty if there is none, or no such queue."""
        _, _, _, region, account, name = queue_arn.split(":")
        sqs = self._clients("sqs", region)
        try:
            with calling("sqs:GetQueueUrl"):
                url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
            with calling("sqs:ListQueueTags"):
                return str(sqs.list_queue_tags(QueueUrl=url).get("Tags", {}).get(STACK_TAG, ""))
        except CallFailed as failed:
            if failed.call.code in _NO_SUCH_QUEUE:
                return ""
            raise
