"""One statement that an account must put into the policy of a bucket, a key or a role, as a value.

Separate from the plan that finds which are needed, because checks ask what a policy says about the same value.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from s3replicator.grants.needs import Need

VERSION = "2012-10-17"


@dataclass(frozen=True, slots=True)
class Resource:
    """A bucket or a KMS key, and the account that owns it.

    Of a key: contexts are the ARNs that S3 sends as encryption context, via the name of S3 in the key's Region.
    """

    account: str
    arn: str
    contexts: tuple[str, ...] = ()
    via: str = ""

    @property
    def is_key(self) -> bool:
        """Return whether it is a KMS key."""
        return bool(self.via)

    @property
    def name(self) -> str:
        """Return the bucket's name, or the key's ARN."""
        return self.arn if self.is_key else self.arn.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Grant:
    """One statement about one resource. principals: ARNs of the roles that it admits."""

    need: Need
    resource: Resource
    principals: tuple[str, ...]

    @property
    def actions(self) -> tuple[str, ...]:
        """Return the IAM actions, sorted."""
        service = "kms" if self.resource.is_key else "s3"
        return tuple(sorted(f"{service}:{each}" for each in (*self.need.bucket_actions, *self.need.object_actions)))

    def statement(self) -> dict[str, Any]:
        """Return the statement of the resource's policy. That of a key is about its key alone."""
        named = ("*",) if self.resource.is_key else self._buckets_and_objects()
        return {"Sid": self.need.sid, "Effect": "Allow", "Principal": {"AWS": short(self.principals)}} | self._rest(
            named
        )

    def identity_statement(self) -> dict[str, Any]:
        """Return the statement of the policy of the role that makes the requests."""
        named = (self.resource.arn,) if self.resource.is_key else self._buckets_and_objects()
        return {"Sid": self.need.sid, "Effect": "Allow"} | self._rest(named)

    def _buckets_and_objects(self) -> tuple[str, ...]:
        whole = (self.resource.arn,) if self.need.bucket_actions else ()
        return (*whole, *((f"{self.resource.arn}/*",) if self.need.object_actions else ()))

    def _rest(self, resources: tuple[str, ...]) -> dict[str, Any]:
        rest: dict[str, Any] = {"Action": short(self.actions), "Resource": short(resources)}
        if self.resource.is_key:
            rest["Condition"] = {
                "StringEquals": {"kms:ViaService": self.resource.via},
                "StringLike": {"kms:EncryptionContext:aws:s3:arn": short(self.resource.contexts)},
            }
        return rest


@dataclass(frozen=True, slots=True)
class RolePlan:
    """A role of a destination's account that functions assume.

    trusted: ARNs of the roles that may assume it. external_id: empty for none. grants: what its policy must allow.
    """

    arn: str
    trusted: tuple[str, ...]
    external_id: str = ""
    grants: tuple[Grant, ...] = field(default=())

    @property
    def account(self) -> str:
        """Return the account that it belongs to."""
        return self.arn.split(":")[4]

    @property
    def name(self) -> str:
        """Return its name, without its path."""
        return self.arn.rpartition("/")[2]

    @property
    def path(self) -> str:
        """Return its path, / for most."""
        return "/" + "".join(f"{each}/" for each in self.arn.partition(":role/")[2].split("/")[:-1])

    def trust(self) -> dict[str, Any]:
        """Return the trust policy."""
        statement: dict[str, Any] = {
            "Sid": "LetReplicatorAssume",
            "Effect": "Allow",
            "Principal": {"AWS": short(self.trusted)},
            "Action": "sts:AssumeRole",
        }
        if self.external_id:
            statement["Condition"] = {"StringEquals": {"sts:ExternalId": self.external_id}}
        return document([statement])

    def policy(self) -> dict[str, Any]:
        """Return the policy of what the role may do."""
        return document(each.identity_statement() for each in self.grants)


def document(statements: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return a policy with these statements."""
    return {"Version": VERSION, "Statement": list(numbered(statements))}


def numbered(statements: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield statements, numbered if their Sid was there before: a Sid is unique in a policy."""
    seen: set[str] = set()
    for each in statements:
        sid, number = str(each.get("Sid", "")), 2
        while sid and sid in seen:
            sid, number = f"{each['Sid']}{number}", number + 1
        seen.add(sid)
        yield {**each, "Sid": sid} if sid else each


def short(values: tuple[str, ...]) -> str | list[str]:
    """Return one value as it is, several as a list."""
    return values[0] if len(values) == 1 else list(values)
