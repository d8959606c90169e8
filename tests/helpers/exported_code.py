"""Export a policy, and run the code that comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from cuesense import registry
from cuesense.policies.policy import Policy

SIZE = (48, 48)


def exported(name: str, policy: Policy, size: tuple[int, int] | None = SIZE) -> str:
    text: str = registry.get("exporters", name)(policy, size)
    return text


def transform_of(code: str) -> Callable[[Tensor], Tensor]:
    scope: dict[str, Any] = {}
    exec(code, scope)
    transform: Callable[[Tensor], Tensor] = scope["transform"]
    return transform
