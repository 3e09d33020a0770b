"""The world file: which buckets, stacks and rules an emulator starts with, as frozen values.

Separate from what creates them, so that a mistake in the file is reported before anything runs, with the path of the
field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

import botocore.session

from emulator.iam.principals import ACCOUNT
from emulator.state import NewBuckets
from emulator.world.fields import Fields, WorldError, suggestion

Versioning = Literal["Enabled", "Suspended", "Disabled"]
OWNERSHIPS = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")
ENCRYPTIONS = ("AES256", "aws:kms", "aws:kms:dsse")
_NOTHING: Mapping[str, Any] = MappingProxyType({})

DEFAULT_WORLD: Mapping[str, Any] = {
    "buckets": [{"name": "east", "region": "us-east-1"}, {"name": "west", "region": "us-west-2"}],
    "stacks": [
        {
            "name": "replicator-east",
            "region": "us-east-1",
            "rules": {
                "east": {
                    "Rules": [
                        {
                            "ID": "everything",
                            "Priority": 1,
                            "Status": "Enabled",
                            "Filter": {"Prefix": ""},
                            "DeleteMarkerReplication": {"Status": "Disabled"},
                            "Destination": {"Bucket": "arn:aws:s3:::west"},
                        }
                    ]
                }
            },
        }
    ],
}


@dataclass(frozen=True)
class WorldBucket:
    """A bucket to create. `retention` and `encryption` have the shapes of S3's API; empty means S3's default.

    block_public_access: all four settings of Block Public Access, or none of them. `account` is the id of its owner's,
    `policy` a bucket policy; empty for none.
    """

    name: str
    region: str
    versioning: Versioning = "Enabled"
    object_lock: bool = False
    retention: Mapping[str, Any] = field(default_factory=dict)
    ownership: str = "BucketOwnerEnforced"
    encryption: Mapping[str, Any] = field(default_factory=dict)
    block_public_access: bool = True
    account: str = ACCOUNT
    policy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WorldStack:
    """A stack to deploy, and the rule documents to put afterwards, by source bucket."""

    name: str
    region: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    account: str = ACCOUNT

    def destinations(self) -> Iterator[Mapping[str, Any]]:
        """Yield the `Destination` of each rule, even if the documents are otherwise invalid."""
        for rule in self.each_rule():
            if isinstance(rule.get("Destination"), dict):
                yield rule["Destination"]

    def each_rule(self) -> Iterator[Mapping[str, Any]]:
        """Yield each rule, even if the documents are otherwise invalid."""
        for document in self.rules.values():
            inner = document.get("ReplicationConfiguration", document)
            rules = inner.get("Rules") if isinstance(inner, Mapping) else None
            yield from (rule for rule in (rules if isinstance(rules, list) else ()) if isinstance(rule, Mapping))


@dataclass(frozen=True)
class World:
    """Everything that an emulator starts with: buckets and stacks, and what buckets are like that are created later."""

    buckets: tuple[WorldBucket, ...] = ()
    stacks: tuple[WorldStack, ...] = ()
    new_buckets: NewBuckets = field(default_factory=NewBuckets)
    more_accounts: tuple[str, ...] = ()

    @property
    def accounts(self) -> tuple[str, ...]:
        """Return the ids of all accounts: the default one, those that own something, and those that do not yet."""
        owners = (*(bucket.account for bucket in self.buckets), *(stack.account for stack in self.stacks))
        return tuple(dict.fromkeys((ACCOUNT, *owners, *self.more_accounts)))

    def account_of(self, bucket: str) -> str | None:
        """Return the account that owns a bucket; None if the world has no such bucket."""
        return next((each.account for each in self.buckets if each.name == bucket), None)


def load_world(path: Path | str | None) -> World:
    """Read a world file; without one, return the default world: two Regions, two buckets, one stack, one rule.

    Raises WorldError if the file cannot be read or is invalid.
    """
    if path is None:
        return parse_world(DEFAULT_WORLD)
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise WorldError(str(path), f"cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise WorldError(str(path), f"is not JSON: {error}") from None
    return parse_world(document)


def parse_world(document: object) -> World:
    """Turn a world document into values. Raises WorldError with the path of the first invalid field."""
    fields = Fields(document, "")
    buckets = tuple(_bucket(each) for each in fields.items("buckets"))
    _refuse_repeats("buckets", (bucket.name for bucket in buckets))
    stacks = tuple(_stack(each, buckets) for each in fields.items("stacks"))
    _refuse_repeats("stacks", (stack.name for stack in stacks))
    new_buckets = _new_buckets(Fields(fields.mapping("new_buckets"), fields.at("new_buckets")))
    accounts = tuple(_account(each, path) for path, each in fields.texts("accounts"))
    fields.done()
    return World(buckets, stacks, new_buckets, accounts)


def _account(value: str, path: str) -> str:
    if not re.fullmatch(r"\d{12}", value):
        raise WorldError(path, f'"{value}" is not the id of an account: 12 digits')
    return value


def _new_buckets(fields: Fields) -> NewBuckets:
    ownership = fields.choice("ownership", OWNERSHIPS, OWNERSHIPS[0])
    found = NewBuckets(ownership, fields.flag("block_public_access", default=ownership == OWNERSHIPS[0]))
    fields.done()
    return found


def _refuse_repeats(section: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            raise WorldError(f"{section}[{index}].name", f'"{name}" is used twice; names must be unique')
        seen.add(name)


def _bucket(fields: Fields) -> WorldBucket:
    name = fields.text("name")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        raise WorldError(
            fields.at("name"), f'"{name}" is not a bucket name: S3 requires 3 to 63 characters of a-z, 0-9, "-" and "."'
        )
    locked, retention = _object_lock(fields)
    ownership = fields.choice("ownership", OWNERSHIPS, OWNERSHIPS[0])
    bucket = WorldBucket(
        name=name,
        region=_region(fields),
        versioning=cast(Versioning, fields.choice("versioning", ("Enabled", "Suspended", "Disabled"), "Enabled")),
        object_lock=locked,
        retention=retention,
        ownership=ownership,
        encryption=_encryption(fields),
        block_public_access=fields.flag("block_public_access", default=ownership == OWNERSHIPS[0]),
        account=_account(fields.text("account", ACCOUNT), fields.at("account")),
        policy=fields.mapping("policy"),
    )
    fields.done()
    if locked and bucket.versioning != "Enabled":
        raise WorldError(fields.at("versioning"), f'"{bucket.versioning}" cannot be combined with object_lock')
    return bucket


def _region(fields: Fields) -> str:
    region = fields.text("region")
    if region not in _regions():
        raise WorldError(fields.at("region"), f'"{region}" is not an AWS Region{suggestion(region, _regions())}')
    return region


@cache
def _regions() -> tuple[str, ...]:
    return tuple(botocore.session.Session().get_available_regions("s3"))


def _object_lock(fields: Fields) -> tuple[bool, Mapping[str, Any]]:
    """Read `true`, or a default retention: {"Mode", "Days" | "Years"}, alone or inside an ObjectLockConfiguration."""
    value = fields.raw("object_lock")
    if value is None or isinstance(value, bool):
        return bool(value), _NOTHING
    path = fields.at("object_lock")
    if not isinstance(value, dict):
        raise WorldError(path, 'must be true, false or a default retention such as {"Mode": "GOVERNANCE", "Days": 1}')
    rule = value.get("Rule", value)
    retention = rule.get("DefaultRetention", rule) if isinstance(rule, dict) else {}
    if retention.get("Mode") not in {"GOVERNANCE", "COMPLIANCE"} or len({"Days", "Years"} & retention.keys()) != 1:
        raise WorldError(path, 'a default retention needs "Mode" (GOVERNANCE or COMPLIANCE) and "Days" or "Years"')
    return True, retention


def _encryption(fields: Fields) -> Mapping[str, Any]:
    """Read default encryption: an algorithm, {"sse", "kms_key"}, or S3's own shape with or without its outer keys.

    Return one rule of S3's ServerSideEncryptionConfiguration.
    """
    value, path = fields.raw("encryption"), fields.at("encryption")
    if value is None:
        return _NOTHING
    rule = Fields(*_encryption_rule({"sse": value} if isinstance(value, str) else value, path))
    default = Fields(rule.raw("ApplyServerSideEncryptionByDefault"), rule.at("ApplyServerSideEncryptionByDefault"))
    algorithm, key = default.choice("SSEAlgorithm", ENCRYPTIONS), default.raw("KMSMasterKeyID")
    bucket_key = bool(rule.raw("BucketKeyEnabled"))
    default.done()
    rule.done()
    if key and algorithm == "AES256":
        raise WorldError(path, "AES256 takes no KMS key; use aws:kms or aws:kms:dsse")
    chosen = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
    return {"ApplyServerSideEncryptionByDefault": chosen, "BucketKeyEnabled": bucket_key}


def _encryption_rule(value: Any, path: str) -> tuple[Any, str]:
    """Remove S3's outer keys and expand the short form; return the rule and its path."""
    for wrapper in ("ServerSideEncryptionConfiguration", "Rules"):
        if isinstance(value, dict) and wrapper in value:
            value, path = value[wrapper], f"{path}.{wrapper}"
    if isinstance(value, list):
        if len(value) != 1:
            raise WorldError(path, "must contain exactly one rule, as in S3")
        value, path = value[0], f"{path}[0]"
    if isinstance(value, dict) and "SSEAlgorithm" in value:
        return {"ApplyServerSideEncryptionByDefault": value}, path
    if isinstance(value, dict) and "ApplyServerSideEncryptionByDefault" not in value:
        short = Fields(value, path)
        default = {"SSEAlgorithm": short.text("sse"), "KMSMasterKeyID": short.raw("kms_key")}
        bucket_key = short.raw("bucket_key")
        short.done()
        return {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}, path
    return value, path


def _stack(fields: Fields, buckets: tuple[WorldBucket, ...]) -> WorldStack:
    name = fields.text("name")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", name):
        raise WorldError(
            fields.at("name"), f'"{name}" is not a stack name: a letter, then letters, digits and "-", at most 128'
        )
    stack = WorldStack(
        name=name,
        region=_region(fields),
        parameters={key: _parameter(value, f"{fields.at('parameters')}.{key}")
                    for key, value in fields.mapping("parameters").items()},
        rules=fields.mapping("rules"),
        account=_account(fields.text("account", ACCOUNT), fields.at("account")),
    )  # fmt: skip
    fields.done()
    for source in stack.rules:
        _check_source(stack, source, f"{fields.at('rules')}.{source}", buckets)
    return stack


def _parameter(value: object, path: str) -> str:
    """Return a parameter as CloudFormation takes it: a string, with lists joined by commas."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    raise WorldError(path, "must be a string, a number or a list of strings")


def _check_source(stack: WorldStack, source: str, path: str, buckets: tuple[WorldBucket, ...]) -> None:
    """Check that a stack and the source bucket of its rules are in one Region: S3 sends no event to another."""
    Fields(stack.rules[source], path)
    if source == stack.parameters.get("CreateSourceBucket"):
        return
    bucket = next((each for each in buckets if each.name == source), None)
    if bucket is None:
        names = [each.name for each in buckets]
        raise WorldError(path, f'there is no bucket "{source}" in buckets{suggestion(source, names)}')
    if bucket.region != stack.region:
        raise WorldError(
            path,
            f'bucket "{source}" is in {bucket.region} but stack "{stack.name}" is in {stack.region}; S3 sends'
            " events only within a Region, so put these rules under a stack in the bucket's Region",
        )
