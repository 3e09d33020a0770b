"""STS: sessions of roles, in whatever account these are, and whose credentials somebody has.

moto issues credentials for any role to anybody. Here the trust policy of the role must admit the caller, and the
caller's own policies too unless both are in one account and the trust policy names the caller itself.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-sts
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from emulator.calls.answers import Answer, error_answer, request_id
from emulator.calls.call import Call
from emulator.iam.principals import Credentials, Principal
from emulator.services.authorization import denial
from emulator.services.iam import document_of, id_of, longest_session, trust_policy_of, with_resource
from emulator.state import active

Parameters = Mapping[str, str]
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+")
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_SHORTEST, _LONGEST, _OF_CHAINS, _OF_TOKENS = 900, 43_200, 3_600, 129_600
_LARGEST_POLICIES = 2_048
# Of a longer list, the share of the limit that the policies take is told; AWS packs them first, and says not how.
_UNANSWERED = ("Tags.", "TransitiveTagKeys.", "SourceIdentity", "SerialNumber", "TokenCode", "ProvidedContexts.")


class _Refused(Exception):
    """An error of STS: status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def answer(call: Call, environ: Mapping[str, Any]) -> Answer | None:
    """Answer or refuse a call; None leaves those that make no credentials to moto."""
    operation = _OPERATIONS.get(call.operation)
    if operation is None:
        return None
    body = dict(parse_qsl(environ["wsgi.input"].getvalue().decode(), keep_blank_values=True))
    try:
        return _answered(call.operation, operation(call, {**body, **call.query}))
    except _Refused as error:
        return error_answer(call, error.status, error.code, error.message)


def _assume_role(call: Call, given: Parameters) -> Mapping[str, Any]:
    role, name, seconds = given.get("RoleArn", ""), given.get("RoleSessionName", ""), _seconds(given, 3_600, _LONGEST)
    _check(given, role, name)
    policies = _session_policies(given, role.split(":")[4])
    _check_trust(call, role, name, given.get("ExternalId"))
    if call.principal.has_role and seconds > _OF_CHAINS:
        limit = "the 1 hour session limit for roles assumed by role chaining"
        raise _invalid(f"The requested DurationSeconds exceeds {limit}.")
    if seconds > longest_session(role):
        raise _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    session = replace(call.principal, id=f"AWS:{id_of(role)}:{name}", arn=role, session=name, policies=policies)
    size = {} if policies is None else {"PackedPolicySize": sum(map(len, policies)) * 100 // _LARGEST_POLICIES}
    return {
        "Credentials": _lent(session, seconds),
        "AssumedRoleUser": {"AssumedRoleId": session.id.removeprefix("AWS:"), "Arn": session.session_arn},
        **size,
    }


def _check(given: Parameters, role: str, name: str) -> None:
    for parameter in given:
        if parameter.startswith(_UNANSWERED):
            raise _Refused(501, "NotImplemented", f"The emulator does not implement AssumeRole with {parameter}.")
    if not _SESSION_NAME.fullmatch(name):
        raise _constraint(name, "roleSessionName", f"regular expression pattern: {_SESSION_NAME.pattern}")
    if not _ROLE.fullmatch(role):
        raise _invalid(f"{role} is invalid")
    if not _EXTERNAL_ID.fullmatch(given.get("ExternalId", "none")):
        raise _constraint(given["ExternalId"], "externalId", f"regular expression pattern: {_EXTERNAL_ID.pattern}")


def _seconds(given: Parameters, default: int, most: int) -> int:
    text = given.get("DurationSeconds", str(default))
    if not text.isdecimal() or not _SHORTEST <= int(text) <= most:
        raise _constraint(text, "durationSeconds", f"a value from {_SHORTEST} to {most}")
    return int(text)


def _session_policies(given: Parameters, account: str) -> tuple[str, ...] | None:
    """Return the session policy of a request and the managed policies that it names; None without any."""
    arns = [value for name, value in given.items() if re.fullmatch(r"PolicyArns\.member\.\d+\.arn", name)]
    inline = [given["Policy"]] if "Policy" in given else []
    for policy in inline:
        if len(policy) > _LARGEST_POLICIES:
            raise _constraint(policy[:20], "policy", f"a length of at most {_LARGEST_POLICIES}")
        if not _is_policy(policy):
            raise _Refused(400, "MalformedPolicyDocument", "The policy is not in the valid JSON format.")
    found = [document_of(arn, account) for arn in arns]
    if None in found:
        raise _Refused(400, "NoSuchEntity", "A managed policy of the session does not exist in the role's account.")
    policies = (*inline, *(each for each in found if each is not None))
    return policies or None


def _is_policy(text: str) -> bool:
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return isinstance(document, dict) and isinstance(document.get("Statement"), list | dict)


def _check_trust(call: Call, role: str, name: str, external_id: str | None) -> None:
    """Raise AccessDenied. It does not tell whether the role exists, and another account not which side denies."""
    trust = trust_policy_of(role)
    conditions = {"sts:RoleSessionName": name, **({"sts:ExternalId": external_id} if external_id else {})}
    message = denial(
        call.principal,
        "sts:AssumeRole",
        role,
        account=role.split(":")[4],
        region=call.region,
        conditions=conditions,
        policy=with_resource(trust) if trust else None,
        of_key=True,
    )
    if message:
        who = call.principal
        short = f"User: {who.session_arn} is not authorized to perform: sts:AssumeRole on resource: {role}"
        raise _Refused(403, "AccessDenied", message if role.split(":")[4] == who.account else short)


def _get_session_token(call: Call, given: Parameters) -> Mapping[str, Any]:
    if call.principal.has_role or call.principal.expires is not None:
        raise _Refused(403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
    return {"Credentials": _lent(call.principal, _seconds(given, 43_200, _OF_TOKENS))}


def _get_caller_identity(call: Call, _: Parameters) -> Mapping[str, Any]:
    who = call.principal
    return {"Arn": who.session_arn, "UserId": who.id.removeprefix("AWS:"), "Account": who.account}


def _not_implemented(call: Call, _: Parameters) -> Mapping[str, Any]:
    raise _Refused(501, "NotImplemented", f"The emulator does not implement {call.operation}.")


_OPERATIONS: Mapping[str, Callable[[Call, Parameters], Mapping[str, Any]]] = {
    "AssumeRole": _assume_role,
    "AssumeRoleWithSAML": _not_implemented,
    "AssumeRoleWithWebIdentity": _not_implemented,
    "GetCallerIdentity": _get_caller_identity,
    "GetFederationToken": _not_implemented,
    "GetSessionToken": _get_session_token,
}


def _lent(principal: Principal, seconds: int) -> Mapping[str, str]:
    principals = active().principals
    credentials: Credentials = principals.lend(principal, seconds)
    end = datetime.fromtimestamp(principals.clock() + seconds, UTC)
    return {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": credentials.session_token,
        "Expiration": f"{end:%Y-%m-%dT%H:%M:%SZ}",
    }


def _invalid(message: str) -> _Refused:
    return _Refused(400, "ValidationError", message)


def _constraint(value: str, name: str, constraint: str) -> _Refused:
    found = f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint"
    return _invalid(f"{found}: Member must satisfy {constraint}")


def _answered(operation: str, result: Mapping[str, Any]) -> Answer:
    content = f"<{operation}Result>{_elements(result)}</{operation}Result>"
    metadata = f"<ResponseMetadata><RequestId>{request_id()}</RequestId></ResponseMetadata>"
    body = f'<{operation}Response xmlns="{_NAMESPACE}">{content}{metadata}</{operation}Response>'
    return Answer(200, {"Content-Type": "text/xml"}, body.encode())


def _elements(content: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{_elements(value) if isinstance(value, Mapping) else escape(str(value))}</{name}>"
        for name, value in content.items()
    )
