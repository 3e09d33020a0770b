"""Reads what the statements depend on: settings and policies of buckets, with whatever credentials may read them.

What cannot be read is a note, never an error: the other account's settings are often out of sight, and then statements
that may be needed are printed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from s3replicator.calls import calling
from s3replicator.failed_calls import CallFailed
from s3replicator.grants.facts import BucketFacts
from s3replicator.grants.policy import Statement, read_policy

ClientOf = Callable[[str, str, str], Any]
"""(service, Region, account whose credentials are wanted) -> a client; any other ones if there are none of that."""
ENFORCED = "BucketOwnerEnforced"


@dataclass(slots=True)
class Reader:
    """Reads buckets for one command. notes: what it could not read, as sentences. home: the stack's Region."""

    clients: ClientOf
    home: str
    notes: list[str] = field(default_factory=list)

    def bucket(self, name: str, account: str) -> BucketFacts:
        """Return the settings of a bucket that an account owns."""
        region = self._region(name, account)
        s3 = self.clients("s3", region or self.home, account)
        return BucketFacts(
            name,
            account,
            region,
            acls=self._has_acls(s3, name),
            object_lock=self._has_lock(s3, name),
            kms_key=self._default_key(s3, name),
        )

    def is_owned_by(self, name: str, account: str) -> bool | None:
        """Return whether an account owns a bucket; None if that cannot be seen."""
        s3 = self.clients("s3", self.home, account)
        try:
            with calling("s3:ListBucket"):
                s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
        except CallFailed as failed:
            return None if failed.call.code in {"403", "AccessDenied"} else True
        return True

    def policy(self, bucket: str, account: str) -> Sequence[Statement] | None:
        """Return the statements of a bucket's policy; none if it has no policy, None if it cannot be read."""
        s3 = self.clients("s3", self.home, account)
        try:
            with calling("s3:GetBucketPolicy"):
                text = s3.get_bucket_policy(Bucket=bucket)["Policy"]
            return read_policy(text)
        except CallFailed as failed:
            if failed.call.code == "NoSuchBucketPolicy":
                return ()
            self._note(f"the policy of {bucket} cannot be read: {failed.call.advice(bucket)}")
        except ValueError as error:
            self._note(f"the policy of {bucket} cannot be read: {error}")
        return None

    def key_policy(self, arn: str, account: str) -> Sequence[Statement] | None:
        """Return the statements of a key's policy; None if it cannot be read. AWS shows it to its own account only."""
        kms = self.clients("kms", arn.split(":")[3], account)
        try:
            with calling("kms:GetKeyPolicy"):
                text = kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
            return read_policy(text)
        except CallFailed as failed:
            self._note(f"the policy of {arn} cannot be read: {failed.call.advice(arn)}")
        except ValueError as error:
            self._note(f"the policy of {arn} cannot be read: {error}")
        return None

    def _region(self, name: str, account: str) -> str:
        s3 = self.clients("s3", self.home, account)
        try:
            with calling("s3:ListBucket"):
                return str(s3.head_bucket(Bucket=name).get("BucketRegion") or self.home)
        except CallFailed as failed:
            self._note(f"{name} cannot be seen: {failed.call.advice(name)}")
        return ""

    def _has_acls(self, s3: Any, name: str) -> bool | None:
        answer = self._ask("s3:GetBucketOwnershipControls", s3.get_bucket_ownership_controls, name, "ACLs")
        rules = (answer or {}).get("OwnershipControls", {}).get("Rules", [])
        return None if answer is None else all(rule.get("ObjectOwnership") != ENFORCED for rule in rules)

    def _has_lock(self, s3: Any, name: str) -> bool | None:
        answer = self._ask("s3:GetBucketObjectLockConfiguration", s3.get_object_lock_configuration, name, "locks")
        found = (answer or {}).get("ObjectLockConfiguration", {}).get("ObjectLockEnabled")
        return None if answer is None else found == "Enabled"

    def _default_key(self, s3: Any, name: str) -> str:
        answer = self._ask("s3:GetEncryptionConfiguration", s3.get_bucket_encryption, name, "a default KMS key")
        rules = (answer or {}).get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
        defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules]
        keys = [str(each.get("KMSMasterKeyID") or "") for each in defaults]
        return next((key for key in keys if key.startswith("arn:")), "")

    def _ask(self, action: str, ask: Callable[..., Any], name: str, what: str) -> Mapping[str, Any] | None:
        """Return an answer, an empty one if there is no such configuration, None if it cannot be read."""
        try:
            with calling(action):
                answer: Mapping[str, Any] = ask(Bucket=name)
        except CallFailed as failed:
            if failed.call.code.endswith("NotFoundError"):
                return {}
            self._note(f"it cannot be seen whether {name} has {what}: {failed.call.advice(name)}; it may have")
            return None
        return answer

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)
