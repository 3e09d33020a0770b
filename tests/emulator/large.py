"""Large objects on the emulator, with lowered thresholds: what the tests of them begin with.

Above 5 MiB an object is copied in parts of 5 MiB, above 6 MiB over several functions, two parts in a message.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from emulator.running import Options, Running, running
from tests.emulator.likeness import Comparison, Side
from tests.emulator.worlds import bucket, rule
from tests.patience import until

MIB = 1024**2
HERE = (5 * MIB, 100)
SPREAD = (5 * MIB, 5 * MIB, 1)
LARGER = (5 * MIB, 5 * MIB, 5 * MIB, 5 * MIB, 1)
WORLD: dict[str, Any] = {
    "buckets": [
        bucket("east", ownership="ObjectWriter", object_lock=True), bucket("west", ownership="ObjectWriter",
                                                                           object_lock=True),
        bucket("same-east"), bucket("same-west"), bucket("two-east"), bucket("two-west"),
    ],
    "stacks": [
        {
            "name": "prod",
            "region": "us-east-1",
            "parameters": {
                "DestinationBuckets": "west,same-west,two-west",
                "MultipartThreshold": str(5 * MIB),
                "SpreadThreshold": str(6 * MIB),
                "PartSize": str(5 * MIB),
                "PartsSideBySide": "2",
            },
            "rules": {
                "east": {"Rules": [rule("east", "west")]},
                "same-east": {"Rules": [rule("same-east", "same-west",
                                             ReplicatorOptions={"PreserveETag": "Enabled"})]},
                "two-east": {"Rules": [rule("two-east", "two-west", DeleteMarkerReplication={"Status": "Enabled"})]},
            },
        }
    ],
}  # fmt: skip


@contextmanager
def stack() -> Iterator[Running]:
    """Run the stack, its functions being warm."""
    with running(WORLD, Options(crash_visibility=1)) as emulator:
        emulator.client("s3").put_object(Bucket="east", Key="warm", Body=b"")
        assert emulator.idle()
        yield emulator


@cache
def body(size: int, seed: str = "") -> bytes:
    """Return bytes in which every part differs."""
    block = (seed.encode() + b"-" * 1008)[:1008]
    return b"".join(b"%016d" % number + block for number in range(size // 1024 + 1))[:size]


def put(emulator: Running, key: str, sizes: tuple[int, ...] = SPREAD, bucket: str = "east", **fields: Any) -> str:
    """Upload an object in parts, as users upload large ones; return its version id."""
    s3 = emulator.client("s3")
    named = {"Bucket": bucket, "Key": key}
    upload = s3.create_multipart_upload(**named, **fields)["UploadId"]
    parts = []
    algorithm = fields.get("ChecksumAlgorithm")
    asked = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    for number, size in enumerate(sizes, 1):
        answer = s3.upload_part(**named, UploadId=upload, PartNumber=number, Body=body(size, f"part {number}"), **asked)
        sums = {name: answer[name] for name in (f"Checksum{algorithm}",) if name in answer}
        parts.append({"PartNumber": number, "ETag": answer["ETag"], **sums})
    return str(s3.complete_multipart_upload(**named, UploadId=upload, MultipartUpload={"Parts": parts})["VersionId"])


def write(emulator: Running, key: str, size: int = sum(SPREAD), bucket: str = "east") -> str:
    """Upload an object in one piece; return its version id."""
    return str(emulator.client("s3").put_object(Bucket=bucket, Key=key, Body=body(size))["VersionId"])


def differences(
    emulator: Running, *keys: str, source: str = "east", overtaken: bool = False, in_one_piece: bool = False
) -> list[str]:
    """List every difference between source and destination at these keys. Nothing may be under way.

    `in_one_piece`: that is how the source was written, so that a replica in parts cannot have its ETag.
    """
    ours, theirs = Side.of(emulator, source), Side.of(emulator, source.replace("east", "west"))
    found = Comparison(ours, theirs, acls=source == "east", overtaken=overtaken).differences(set(keys))
    return [line for line in found if not (in_one_piece and ": ETag is" in line)]


def leftovers(emulator: Running) -> list[str]:
    """List what must not be there at rest: uploads under way, and versions or uploads that the journal has waiting."""
    found = []
    for name in ("west", "same-west", "two-west"):
        uploads = Side.of(emulator, name).s3.list_multipart_uploads(Bucket=name).get("Uploads", [])
        found += [f"upload of {each['Key']}" for each in uploads]
    table = emulator.outputs("prod")["JournalTable"]
    items = emulator.client("dynamodb").scan(TableName=table, IndexName="ByAge")["Items"]
    return found + [f"{item['object']['S']}: {item['target']['S']}" for item in items]


def asked(emulator: Running, key: str) -> Counter[str]:
    """Count the successful requests that functions made about a key, by operation."""
    rows = emulator.get("requests")
    return Counter(
        row["operation"]
        for row in rows
        if row["principal"] == "replicator" and row["key"] == key and row["status"] in range(200, 300)
    )


@contextmanager
def workers_paused(emulator: Running, stack: str = "prod", function: str = "CopyPartsFunction") -> Iterator[None]:
    """Keep the messages of parts, or those of another function, in their queue meanwhile."""
    functions = emulator.client("lambda")
    name = emulator.outputs(stack)[function]
    mappings = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    for mapping in mappings:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def part_messages(emulator: Running, count: int) -> list[str]:
    """Wait until that many messages of parts are in their queue, and read them."""
    sqs, url = emulator.client("sqs"), emulator.outputs("prod")["PartQueue"]
    bodies: dict[str, str] = {}

    def all_seen() -> bool:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        bodies.update({message["MessageId"]: message["Body"] for message in answer.get("Messages", [])})
        return len(bodies) >= count

    until(all_seen)
    return list(bodies.values())
