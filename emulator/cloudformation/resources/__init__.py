"""The CloudFormation resource types that the emulator creates itself; moto's models create the others.

To add a type, write a subclass of `Resource` in one of the modules and add it to `KINDS`.
"""

from __future__ import annotations

from emulator.cloudformation.resources.base import Placeholder, Resource
from emulator.cloudformation.resources.compute import EventInvokeConfig, EventSourceMapping, Function, Permission
from emulator.cloudformation.resources.messaging import EventBusPolicy, Queue, QueuePolicy, Rule, Schedule, TopicPolicy
from emulator.cloudformation.resources.policies import ManagedPolicy, Role
from emulator.cloudformation.resources.storage import Bucket, BucketPolicy, Table
from emulator.cloudformation.resources.watching import Alarm, Dashboard, LogGroup

KINDS: tuple[type[Resource], ...] = (
    Alarm,
    Bucket,
    BucketPolicy,
    Dashboard,
    EventBusPolicy,
    EventInvokeConfig,
    EventSourceMapping,
    Function,
    LogGroup,
    ManagedPolicy,
    Permission,
    Queue,
    QueuePolicy,
    Role,
    Rule,
    Schedule,
    Table,
    TopicPolicy,
)

__all__ = ["KINDS", "Placeholder", "Resource"]
