"""Which access keys are known: calls with any other that has the form of AWS's are refused, as AWS refuses them.

Known are those of the users of accounts, those of functions, and those that IAM or STS issued. A key of another form,
such as `test`, is a placeholder that a tool wants, and counts as the default account's user's.
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import re

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from emulator.calls.answers import Answer, S3Error, error_answer
from emulator.calls.call import Call
from emulator.calls.operations import service_model
from emulator.iam.principals import Principal
from emulator.state import active

_FORM = re.compile(r"A[KS]IA[A-Z0-9]{16}")
_OF_SESSION_TOKENS = "AKIAIOSFODNN7EXAMPLE"  # moto's GetSessionToken issues the one of AWS's documentation


def check(call: Call) -> Answer | None:
    """Return the error for a call that is signed with an unknown access key, None for any other."""
    key = call.access_key_id
    if not _FORM.fullmatch(key) or _is_known(key):
        return None
    if call.service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return S3Error(403, "InvalidAccessKeyId", message, AWSAccessKeyId=key).answer()
    message, model = "The security token included in the request is invalid.", service_model(call.service)
    if call.service == "sqs" or model is None or model.resolved_protocol in ("query", "ec2", "rest-xml"):
        return error_answer(call, 403, "InvalidClientTokenId", message)
    return error_answer(call, 400, "UnrecognizedClientException", message)


def _is_known(key: str) -> bool:
    return key == _OF_SESSION_TOKENS or active().principals.issued(key) or _issued_by_aws(key) is not None


def principal_of(access_key_id: str) -> Principal:
    """Return whose an access key is: one that IAM or STS issued belongs to a user of the account that asked for it."""
    principals = active().principals
    if not principals.issued(access_key_id) and _FORM.fullmatch(access_key_id):
        return _issued_by_aws(access_key_id) or principals.of(access_key_id)
    return principals.of(access_key_id)


def _issued_by_aws(key: str) -> Principal | None:
    for account, known in active().principals.accounts.items():
        for user in list(iam_backends[account]["aws"].users.values()):
            if any(each.access_key_id == key and each.status == "Active" for each in user.access_keys):
                return Principal("user", f"AWS:{user.id}", arn=user.arn)
        if any(role.access_key_id == key for role in list(sts_backends[account]["aws"].assumed_roles)):
            return active().principals.of(known.access_key_id)
    return None
