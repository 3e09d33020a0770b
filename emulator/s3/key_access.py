"""Whether the caller of an S3 request may use the KMS key of an object: S3 asks KMS in the caller's name.

Separate from the checks of S3's own actions, because operations ask for it where they read and write bytes. The key
that AWS manages for S3 allows everybody in its account. A key that the emulator's KMS does not know counts as one whose
policy allows the caller's account, so that the policies of its role decide.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
"""

from __future__ import annotations

import json

from moto.kms.models import Key
from moto.s3.models import FakeBucket

from emulator.calls.answers import S3Error
from emulator.calls.call import current_call
from emulator.s3.versions import Encryption
from emulator.services.authorization import denial, is_evaluated

_S3_MANAGED = "alias/aws/s3"


def check(action: str, encryption: Encryption, key: Key | None, bucket: FakeBucket) -> None:
    """Raise AccessDenied if the caller may not do this with the KMS key of an object in the bucket.

    `key` is what the emulator's KMS knows of the key, None if nothing.
    """
    call, arn = current_call.get(), encryption.kms_key_id
    if call is None or arn is None or not is_evaluated(call.principal):
        return
    account, caller = arn.split(":")[4], call.principal.arn.split(":")[4]
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
        raise S3Error(403, "AccessDenied", message)


def _policy(key: Key | None, caller: str) -> str:
    if key is None:
        return _allowing(caller)
    return _allowing("*") if _S3_MANAGED in key.aliases else str(key.policy)


def _allowing(principal: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Statement": statement})
