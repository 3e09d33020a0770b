"""Sizes above which a service refuses a resource, in the words of AWS: names, environments, and policies of roles.

Separate from the resources, because deployments fail by them that work with shorter names.
https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError

_ENVIRONMENT = 4096
_INLINE_POLICIES = 10_240


def check_name(field: str, name: str, longest: int) -> None:
    """Raise if a name that the template gives is too long; generated ones are cut."""
    if len(name) > longest:
        where = field[:1].lower() + field[1:]
        raise ValidationError(
            message=f"1 validation error detected: Value '{name}' at '{where}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {longest}"
        )


def check_environment(variables: Mapping[str, Any]) -> None:
    """Raise if the environment of a function is larger than 4 KB as JSON."""
    text = json.dumps({name: str(value) for name, value in variables.items()}, separators=(",", ":"))
    if len(text.encode()) > _ENVIRONMENT:
        raise ValidationError(
            message="Lambda was unable to configure your environment variables because the environment variables you "
            f"have provided exceeded the 4KB limit. String measured: {text}"
        )


def check_inline_policies(role: str, documents: Iterable[Any]) -> None:
    """Raise if the inline policies of a role are too large together; white space does not count."""
    size = sum(len(json.dumps(document, separators=(",", ":"))) for document in documents)
    if size > _INLINE_POLICIES:
        raise ValidationError(message=f"Maximum policy size of {_INLINE_POLICIES} bytes exceeded for role {role}")
