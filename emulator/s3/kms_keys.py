"""The KMS key of an object: which one is named, whether the caller may use it, and whether its state allows it.

Separate from encryption at rest, because every operation that reads or writes bytes asks for it; S3 then asks KMS in
the caller's name. A key that is disabled or to be deleted can neither encrypt nor decrypt, and the answers are those
that were recorded: status 400 with KMS's exception as code, which a HEAD has not. The key that AWS manages for S3
allows everybody in its account and nobody else. A key of an account that the emulator does not know exists, and its
policy allows the caller's account.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
"""

from __future__ import annotations

import json
import re

from moto.kms.models import Key
from moto.s3.models import FakeBucket

from emulator.calls.answers import S3Error
from emulator.calls.call import current_call
from emulator.iam.principals import ANONYMOUS
from emulator.s3.versions import Encryption
from emulator.services import kms
from emulator.services.authorization import denial, is_evaluated
from emulator.state import active

_S3_MANAGED = "alias/aws/s3"
_NOBODY = '{"Statement": []}'
_KEY_ID = re.compile(r"(mrk-)?[0-9a-f-]{32,36}", re.IGNORECASE)


def arn_of(named: str | None, bucket: FakeBucket) -> str:
    """Return the ARN of the key that a request, or the bucket's default, names. Raises KMS.NotFoundException.

    Without a name it is the key that AWS manages for S3. A key must be in the bucket's Region. KMS looks for an id or
    an alias in the caller's account, whoever owns the bucket.
    """
    arn = _arn(named or _S3_MANAGED, bucket)
    if arn.region != bucket.region_name:
        raise _not_found(f"Invalid arn {arn.region}")
    return _existing(arn)


def check(action: str, encryption: Encryption, bucket: FakeBucket) -> None:
    """Raise S3Error if the caller cannot do this with the KMS key of an object in the bucket.

    AccessDenied if it may not, KMS.NotFoundException, KMS.DisabledException or KMS.KMSInvalidStateException if nobody
    can. Nothing is checked of an object without a KMS key.
    """
    arn = kms.parse(encryption.kms_key_id or "")
    if arn is None:
        return
    _existing(arn)
    key = kms.find(arn)
    _check_permission(action, encryption, key, bucket)
    if key is not None:
        _check_state(key)


def _arn(named: str, bucket: FakeBucket) -> kms.KeyArn:
    if named.startswith("arn:"):
        if (arn := kms.parse(named)) is None:
            raise _not_found(f"Invalid arn {named}")
        return arn
    if not named.startswith("alias/") and not _KEY_ID.fullmatch(named):
        raise _not_found(f"Invalid keyId '{named}'")
    resource = named if named.startswith("alias/") else f"key/{named}"
    call = current_call.get()
    return kms.KeyArn(bucket.region_name, (call and call.principal.account) or bucket.account_id, resource)


def _existing(arn: kms.KeyArn) -> str:
    """Return the key's own ARN, also for an alias.

    Raises KMS.NotFoundException, but not for the key of an account that the emulator does not know.
    """
    key = kms.find(arn)
    if key is None and arn.account in active().principals.accounts:
        what = f"Alias {arn} is not found." if arn.resource.startswith("alias/") else f"Key '{arn}' does not exist"
        raise _not_found(what)
    return key.arn if key else str(arn)


def _not_found(message: str) -> S3Error:
    return S3Error(400, "KMS.NotFoundException", message)


def _check_state(key: Key) -> None:
    if key.key_state == "Disabled":
        raise S3Error(400, "KMS.DisabledException", f"{key.arn} is disabled.")
    if key.key_state != "Enabled":
        state = "pending deletion" if key.key_state == "PendingDeletion" else key.key_state
        raise S3Error(400, "KMS.KMSInvalidStateException", f"{key.arn} is {state}.")


def _check_permission(action: str, encryption: Encryption, key: Key | None, bucket: FakeBucket) -> None:
    call, arn = current_call.get(), encryption.kms_key_id
    if call is None or arn is None or not is_evaluated(call.principal, arn.split(":")[4]):
        return
    if call.principal is ANONYMOUS:
        unsigned = (
            "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
        )
        raise S3Error(400, "InvalidArgument", unsigned, ArgumentName="Authorization")
    account, caller = arn.split(":")[4], call.principal.account
    conditions = {
        "kms:CallerAccount": caller,
        "kms:EncryptionContext:aws:s3:arn": bucket.arn if encryption.bucket_key else f"{bucket.arn}/{call.key}",
        "kms:ViaService": f"s3.{bucket.region_name}.amazonaws.com",
    }
    message = denial(
        call.principal,
        action,
        arn,
        account=account,
        region=call.region,
        conditions=conditions,
        policy=_policy(key, caller),
        of_key=True,
    )
    if message:
        explained = account == caller and active().explains_denials
        raise S3Error(403, "AccessDenied", message if explained else "Access Denied")


def _policy(key: Key | None, caller: str) -> str:
    if key is None:
        return _allowing(caller)
    if _S3_MANAGED in key.aliases:
        return _allowing("*") if caller == key.account_id else _NOBODY
    return str(key.policy)


def _allowing(principal: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Statement": statement})
