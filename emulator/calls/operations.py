"""Finding the service and operation of an HTTP request, with botocore's service models.

Separate from the gateway because only this module knows how the AWS protocols name an operation.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, ServiceModel

from emulator.calls.call import Call
from emulator.iam.principals import ANONYMOUS, Principal

# Services whose signing name differs from botocore's service name.
_SIGNED_AS = {"eventbridge": "events", "monitoring": "cloudwatch", "s3express": "s3", "states": "stepfunctions"}
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z]+)")
_RPC_PATH = re.compile(r"^/service/[^/]+/operation/([^/]+)$")
_SIGNED_FORM = re.compile(rb'name="(?:x-amz-credential|AWSAccessKeyId)"', re.IGNORECASE)
_HOST_WITH_BUCKET = re.compile(r"^(?P<bucket>.+?)\.(?:s3[.-].+|s3|localhost)$")
_ADDRESS = re.compile(r"^(?:[\d.]+|\[.*\]|[^.]+|s3[.-].+)$")


class Scope(NamedTuple):
    """The credential scope of a request's signature."""

    access_key_id: str
    region: str
    service: str


def read_call(environ: Mapping[str, Any], principal_of: Callable[[str], Principal]) -> Call:
    """Return the call that a WSGI request makes, with the principal of its access key.

    One without credentials is nobody's, and to S3.
    """
    path, _, raw_query = str(environ["RAW_URI"]).partition("?")
    query = dict(parse_qsl(raw_query, keep_blank_values=True))
    scope = _scope(environ, query)
    principal = principal_of(scope.access_key_id) if _has_credentials(environ, query) else ANONYMOUS
    if scope.service != "s3" or path.startswith("/v20180820/"):
        service = "s3control" if scope.service == "s3" else scope.service
        operation = _operation_of(service, path, query, environ)
        return Call(service, operation, scope.region, principal, scope.access_key_id)
    bucket, key = _addressed(environ.get("HTTP_HOST", ""), path)
    return Call(
        service="s3",
        operation=_s3_operation(environ, bucket, key, query),
        region=scope.region,
        principal=principal,
        access_key_id=scope.access_key_id,
        bucket=bucket,
        key=key,
        query=query,
        copy_source=environ.get("HTTP_X_AMZ_COPY_SOURCE"),
    )


@cache
def service_model(service: str) -> ServiceModel | None:
    """Return botocore's model of a service; None if botocore has no such service."""
    try:
        return _session().get_service_model(service)
    except UnknownServiceError:
        return None


@cache
def s3_model() -> ServiceModel:
    """Return botocore's model of S3."""
    return _session().get_service_model("s3")


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


def _scope(environ: Mapping[str, Any], query: Mapping[str, str]) -> Scope:
    credential = query.get("X-Amz-Credential", "")
    if not credential:
        _, _, signed = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")
        credential = signed.partition(",")[0]
    parts = credential.split("/")
    if len(parts) != 5:
        version_2 = re.match(r"AWS ([^:]+):", environ.get("HTTP_AUTHORIZATION", ""))
        return Scope(version_2[1] if version_2 else query.get("AWSAccessKeyId", ""), "us-east-1", "s3")
    service = parts[3].lower()
    return Scope(parts[0], parts[2], _SIGNED_AS.get(service, service))


def _has_credentials(environ: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Return whether a request is signed: in a header, its URL or its form. A CORS preflight never is, nor need be."""
    if environ.get("HTTP_AUTHORIZATION", "").strip() or {"X-Amz-Credential", "AWSAccessKeyId"} & query.keys():
        return True
    method = environ["REQUEST_METHOD"]
    return method == "OPTIONS" or (method == "POST" and bool(_SIGNED_FORM.search(environ["wsgi.input"].getvalue())))


def _operation_of(service: str, path: str, query: Mapping[str, str], environ: Mapping[str, Any]) -> str:
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    if named := _RPC_PATH.match(path):
        return named[1]
    if "Action" in query:
        return query["Action"]
    if action := _ACTION.search(environ["wsgi.input"].getvalue()):
        return action[1].decode()
    model = service_model(service)
    return _rest(model).operation(environ, path, query) if model else "Unknown"


def _addressed(host: str, path: str) -> tuple[str | None, str | None]:
    """Return bucket and key of a path-style or virtual-hosted-style URL."""
    host = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    found = None if _ADDRESS.match(host) else _HOST_WITH_BUCKET.match(host)
    bucket, _, key = (found["bucket"], "", path[1:]) if found else path[1:].partition("/")
    return unquote(bucket) or None, unquote(key) or None


def _s3_operation(environ: Mapping[str, Any], bucket: str | None, key: str | None, query: Mapping[str, str]) -> str:
    method = environ["REQUEST_METHOD"]
    if method == "POST" and bucket and not key and not query:
        return "PostObject"  # a browser's form; botocore does not know it
    path = f"/{bucket or ''}" + ("/key" if key else "")
    return _rest(s3_model()).operation(environ, path, query)


class _Candidate(NamedTuple):
    name: str
    query: frozenset[tuple[str, str]]
    required_query: frozenset[str]
    required_headers: frozenset[str]
    weight: int  # how many parameters must be present


class RestOperations:
    """The operations of a REST service, found by method, path, fixed query parameters and required parameters."""

    def __init__(self, model: ServiceModel) -> None:
        self._paths: dict[str, re.Pattern[str]] = {}
        self._candidates: dict[tuple[str, str], list[_Candidate]] = defaultdict(list)
        for name in model.operation_names:
            operation = model.operation_model(name)
            template, _, markers = operation.http["requestUri"].partition("?")
            if not operation.deprecated:
                self._paths[template] = _path_pattern(template)
                self._candidates[operation.http["method"], template].append(_candidate(operation, markers))
        for candidates in self._candidates.values():
            candidates.sort(key=lambda candidate: (-candidate.weight, candidate.name))

    def operation(self, environ: Mapping[str, Any], path: str, query: Mapping[str, str]) -> str:
        """Return the operation whose fixed and required parameters are all present, the one with most of them first.

        A header may be missing where fixed parameters name the operation: refusing that is the operation's own task.
        """
        method = environ["REQUEST_METHOD"]
        names, pairs = query.keys(), query.items()
        found: list[_Candidate] = []
        for template, pattern in self._paths.items():
            if (method, template) in self._candidates and pattern.match(path):
                found += (
                    c for c in self._candidates[method, template] if c.query <= pairs and c.required_query <= names
                )
        named = max((len(candidate.query) for candidate in found), default=0)
        fitting = [
            c for c in found if all(header in environ for header in c.required_headers) or 0 < named == len(c.query)
        ]
        best = max(fitting, key=lambda candidate: candidate.weight, default=None)
        return best.name if best else "Unknown"


@cache
def _rest(model: ServiceModel) -> RestOperations:
    return RestOperations(model)


def _path_pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", template.rstrip("/") or "/")
    greedy = (".+" if part.endswith("+}") else "[^/]+" if part.startswith("{") else re.escape(part) for part in parts)
    return re.compile("^" + "".join(greedy) + "/?$", re.DOTALL)


def _candidate(operation: OperationModel, markers: str) -> _Candidate:
    query = frozenset(parse_qsl(markers, keep_blank_values=True))
    shape: Any = operation.input_shape
    required: dict[str, set[str]] = defaultdict(set)
    for member in shape.required_members if shape else ():
        serialized = shape.members[member].serialization
        required[serialized.get("location", "")].add(serialized.get("name", member))
    headers = frozenset("HTTP_" + name.upper().replace("-", "_") for name in required["header"])
    weight = len(query) + len(required["querystring"]) + len(headers)
    return _Candidate(operation.name, query, frozenset(required["querystring"]), headers, weight)
