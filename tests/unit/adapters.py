"""The adapters to one bucket over a wire, and a source to copy from: what tests of unusual answers begin with."""

from replicator.aws.errors import Side
from replicator.aws.large_objects import BucketLargeObjects
from replicator.aws.objects import BucketObjects
from replicator.aws.uploads import BucketUploads
from replicator.aws.writing import BucketReplicas
from replicator.core.deciding.target import Target
from replicator.core.parts.uploads import CopySource

from tests.unit.wire import Wire

SOURCE = CopySource("east", "k", "v1", '"e"')


def objects(wire: Wire) -> BucketObjects:
    return BucketObjects("east", Side.SOURCE, wire.clients().reader("us-east-1"))


def replicas(wire: Wire) -> BucketReplicas:
    client = wire.clients().reader("us-east-1")
    return BucketReplicas(Target("west"), client, client)


def uploads(wire: Wire) -> BucketUploads:
    return BucketUploads("west", wire.clients(), "us-west-2")


def large(wire: Wire) -> BucketLargeObjects:
    return BucketLargeObjects("east", Side.SOURCE, wire.clients().reader("us-east-1"), annotated={"east"})
