"""What moto's Lambda knows about a function, as a value, and the environment that Lambda gives it.

moto stays the only place where a function is described: whatever changes it there (a stack, `sam deploy`, the Lambda
API) changes the value, and with it what runs.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.iam.models import iam_backends


@dataclass(frozen=True)
class FunctionSpec:
    """Everything that decides how a function runs. `timeout` in seconds, `memory` in MiB."""

    arn: str
    name: str
    region: str
    handler: str
    environment: tuple[tuple[str, str], ...]
    timeout: float
    memory: int
    runtime: str
    role_id: str
    role_arn: str
    code: str
    limit: int

    @classmethod
    def of(cls, function: LambdaFunction, limit: int) -> FunctionSpec:
        """Return the function as moto describes it now."""
        reserved = function.reserved_concurrency
        return cls(
            arn=function.function_arn,
            name=function.function_name,
            region=function.region,
            handler=function.handler or "",
            environment=tuple(sorted((str(key), str(value)) for key, value in function.environment_vars.items())),
            timeout=float(function.timeout),
            memory=int(function.memory_size),
            runtime=function.run_time or "",
            role_id=_role_id(function),
            role_arn=str(function.role),
            code=function.code_sha_256,
            limit=limit if reserved is None else min(limit, int(reserved)),
        )


def deployed(arn: str) -> LambdaFunction | None:
    """Return the function with this ARN; None when it has been deleted, even if somebody still holds on to it."""
    _, _, _, region, account, *_ = arn.split(":")
    try:
        function: LambdaFunction = lambda_backends[account][region].get_function(arn)
    except UnknownFunctionException:
        return None
    return function


def invocations_at_once(function: LambdaFunction) -> int | None:
    """Return how many the function's event sources allow by `MaximumConcurrency`; None when none of them says."""
    mappings = list(lambda_backends[function.account_id][function.region]._event_source_mappings.values())  # noqa: SLF001
    settings = (mapping.scaling_config for mapping in mappings if mapping.function_arn == function.function_arn)
    allowed = [int(each["MaximumConcurrency"]) for each in settings if each and "MaximumConcurrency" in each]
    return sum(allowed) or None


def _role_id(function: LambdaFunction) -> str:
    roles = iam_backends[function.account_id]["aws"].roles.values()
    return next((role.id for role in roles if role.arn == function.role), "AROAUNKNOWNROLE000000")


def lambda_environment(spec: FunctionSpec, root: Path, home: Path) -> Mapping[str, str]:
    """Return what Lambda itself puts into a function's environment, and a home without anybody's AWS configuration.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return {
        "_HANDLER": spec.handler,
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"emulator/[$LATEST]{uuid.uuid4().hex}",
        "AWS_REGION": spec.region,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "HOME": str(home),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(root),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
    }
