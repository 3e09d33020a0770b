"""Which access keys are known: calls with any other that has the form of AWS's are refused, as AWS refuses them.

Known are those of the users of accounts, those of functions, and those that IAM or STS issued, until they expire. A key
of another form, such as `test`, is a placeholder that a tool wants, and counts as the default account's user's.
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import re

from moto.iam.models import iam_backends

from emulator.calls.answers import Answer, S3Error, error_answer
from emulator.calls.call import Call
from emulator.calls.operations import service_model
from emulator.iam.principals import Principal
from emulator.state import active

_FORM = re.compile(r"A[KS]IA[A-Z0-9]{16}")
_FAMILY = frozenset({"query", "ec2", "rest-xml"})


def check(call: Call) -> Answer | None:
    """Return the error for a call that is signed with an unknown access key or an expired one, None for any other."""
    key = call.access_key_id
    if active().principals.has_expired(key):
        return _expired(call)
    if not _FORM.fullmatch(key) or _is_known(key):
        return None
    if call.service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return S3Error(403, "InvalidAccessKeyId", message, AWSAccessKeyId=key).answer()
    message = "The security token included in the request is invalid."
    if _is_of_family(call):
        return error_answer(call, 403, "InvalidClientTokenId", message)
    return error_answer(call, 400, "UnrecognizedClientException", message)


def _expired(call: Call) -> Answer:
    if call.service == "s3":
        return S3Error(400, "ExpiredToken", "The provided token has expired.").answer()
    message = "The security token included in the request is expired"
    if _is_of_family(call):
        return error_answer(call, 403, "ExpiredToken", message)
    return error_answer(call, 400, "ExpiredTokenException", message)


def _is_of_family(call: Call) -> bool:
    """Return whether a service has the error codes of AWS's first services; later ones end in Exception."""
    model = service_model(call.service)
    return call.service == "sqs" or model is None or model.resolved_protocol in _FAMILY


def _is_known(key: str) -> bool:
    return active().principals.issued(key) or _issued_by_iam(key) is not None


def principal_of(access_key_id: str) -> Principal:
    """Return whose an access key is: one that IAM issued belongs to a user of the account that asked for it."""
    principals = active().principals
    if not principals.issued(access_key_id) and _FORM.fullmatch(access_key_id):
        return _issued_by_iam(access_key_id) or principals.of(access_key_id)
    return principals.of(access_key_id)


def _issued_by_iam(key: str) -> Principal | None:
    for account in active().principals.accounts:
        for user in list(iam_backends[account]["aws"].users.values()):
            if any(each.access_key_id == key and each.status == "Active" for each in user.access_keys):
                return Principal("user", f"AWS:{user.id}", arn=user.arn)
    return None
