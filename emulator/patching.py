"""Patches of moto: each declared beside the manner that needs it, all applied once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
_patches: list[tuple[type, str, Callable[..., Any]]] = []


def patch(owner: type, name: str) -> Callable[[F], F]:
    """Declare that the decorated function takes the place of a method, and gets the old one as its first argument."""

    def declare(function: F) -> F:
        _patches.append((owner, name, function))
        return function

    return declare


def apply_patches() -> None:
    """Put every declared patch in place. Calling it again changes nothing."""
    while _patches:
        owner, name, function = _patches.pop(0)
        setattr(owner, name, _method(function, getattr(owner, name)))


def _method(function: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def patched(self: Any, *arguments: Any, **named: Any) -> Any:
        return function(original, self, *arguments, **named)

    return patched
