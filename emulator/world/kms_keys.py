"""The KMS keys that a world names: by a bucket's default encryption, by a rule, or by a stack's parameter.

AWS chooses the ids of keys, and a world must know them before it runs. So what it names is created: a key with the id
of an ARN, or a key that an alias refers to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from emulator import clients
from emulator.services import kms
from emulator.world.document import World, WorldBucket, WorldStack

_PARAMETERS = ("SourceKmsKeys", "DestinationKmsKeys")


def create_keys(world: World) -> None:
    """Create every key of the world's accounts that the world names, unless it is one that AWS manages."""
    for named in _all_named(world):
        if named.account in world.accounts:
            _create(named)


def _all_named(world: World) -> Iterator[kms.KeyArn]:
    for bucket in world.buckets:
        if named := _named(bucket):
            yield named
    for stack in world.stacks:
        listed = (stack.parameters.get(parameter, "").split(",") for parameter in _PARAMETERS)
        for arn in (*replica_keys(stack), *chain.from_iterable(listed)):
            if named := kms.parse(arn):
                yield named


def replica_keys(stack: WorldStack) -> Iterator[str]:
    """Yield the key that each rule of a stack names for its replicas."""
    for destination in stack.destinations():
        settings = destination.get("EncryptionConfiguration")
        if isinstance(settings, Mapping) and settings.get("ReplicaKmsKeyID"):
            yield str(settings["ReplicaKmsKeyID"])


def default_key(bucket: WorldBucket) -> str:
    """Return the ARN of the key of a bucket's default encryption, once it exists; empty if AWS manages it."""
    named = _named(bucket)
    if named is None:
        return ""
    key = kms.find(named)
    return key.arn if key else str(named)


def _named(bucket: WorldBucket) -> kms.KeyArn | None:
    name = str(bucket.encryption.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID", ""))
    if not name or "alias/aws/" in name:
        return None
    if name.startswith("arn:"):
        return kms.parse(name)
    return kms.KeyArn(bucket.region, bucket.account, name if name.startswith("alias/") else f"key/{name}")


def _create(named: kms.KeyArn) -> None:
    if named.resource.startswith("key/"):
        kms.create(named)
    elif kms.find(named) is None:
        client = clients.client("kms", named.region, named.account)
        key = client.create_key(Description="Named by the world")["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName=named.resource, TargetKeyId=key)
