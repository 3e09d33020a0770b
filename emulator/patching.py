"""Replacing methods and properties of moto: each patch is declared where it belongs, and all are applied at once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
_patches: list[tuple[type, str, Callable[..., Any]]] = []


def patch(owner: type, name: str) -> Callable[[F], F]:
    """Declare that the decorated function replaces a method or what a property calls.

    It receives the original as its first argument.
    """

    def declare(function: F) -> F:
        _patches.append((owner, name, function))
        return function

    return declare


def apply_patches() -> None:
    """Apply every patch declared so far. Idempotent."""
    while _patches:
        owner, name, function = _patches.pop(0)
        setattr(owner, name, _method(function, getattr(owner, name)))


def _method(function: Callable[..., Any], original: Any) -> Any:
    if isinstance(original, property):
        return property(_method(function, original.fget))

    @functools.wraps(original)
    def patched(self: Any, *arguments: Any, **named: Any) -> Any:
        return function(original, self, *arguments, **named)

    return patched
