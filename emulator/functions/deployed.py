"""A deployed function as moto's Lambda describes it, and the environment variables that Lambda sets.

Only moto stores functions: a change by a stack, by `sam deploy` or by the Lambda API changes the value here, and so
what runs.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import EventSourceMapping, LambdaFunction, lambda_backends
from moto.iam.models import iam_backends

INVOCATIONS_OF_A_POLLER, MOST_POLLERS = 10, 200


def every_backend(backends: Any) -> Iterator[tuple[str, Any]]:
    """Yield the Region and the backend of a service of moto, for all accounts and Regions."""
    for regions in list(backends.values()):
        yield from list(regions.items())


@dataclass(frozen=True)
class FunctionSpec:
    """How a function runs. `timeout` is in seconds, `memory` in MiB; `limit` is the most processes at once."""

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
        """Return a function as moto describes it now, with at most `limit` processes."""
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
    """Return the function with this ARN; None if it does not exist or no longer does."""
    _, _, _, region, account, *_ = arn.split(":")
    try:
        function: LambdaFunction = lambda_backends[account][region].get_function(arn)
    except UnknownFunctionException:
        return None
    return function


def retries_of(arn: str) -> tuple[int, float]:
    """Return how often an asynchronous invocation that failed is repeated, and for how many seconds."""
    function = deployed(arn)
    chosen = function.event_invoke_config[-1].config if function and function.event_invoke_config else {}
    return int(chosen.get("MaximumRetryAttempts", 2)), float(chosen.get("MaximumEventAgeInSeconds", 6 * 3600))


def invocations_at_once(function: LambdaFunction) -> int | None:
    """Return the sum of what the function's event source mappings allow; None if none sets it."""
    mappings = list(lambda_backends[function.account_id][function.region]._event_source_mappings.values())  # noqa: SLF001
    return sum(allowed(each) or 0 for each in mappings if each.function_arn == function.function_arn) or None


def allowed(mapping: EventSourceMapping) -> int | None:
    """Return how many invocations a mapping allows at once; None if it does not say.

    A provisioned poller of a queue makes up to ten: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
    """
    if mapping.poller_config:
        return INVOCATIONS_OF_A_POLLER * int(mapping.poller_config.get("MaximumPollers", MOST_POLLERS))
    concurrency = (mapping.scaling_config or {}).get("MaximumConcurrency")
    return int(concurrency) if concurrency else None


def _role_id(function: LambdaFunction) -> str:
    roles = iam_backends[function.account_id]["aws"].roles.values()
    return next((role.id for role in roles if role.arn == function.role), "AROAUNKNOWNROLE000000")


def lambda_environment(spec: FunctionSpec, root: Path, home: Path) -> Mapping[str, str]:
    """Return the environment variables that Lambda sets, and a HOME without an AWS configuration.

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
