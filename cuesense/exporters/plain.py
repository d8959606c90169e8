"""A policy as JSON or YAML: cuesense's own format, the only one for policies that differ between classes."""

from __future__ import annotations

import json

from cuesense.exporters.common import NOTHING, Size
from cuesense.policies.policy import Policy


def export_json(policy: Policy, size: Size = None) -> str:  # noqa: ARG001 - one signature for all
    """Return the policy as JSON: ``Policy.to_dict``.

    Args:
        policy: The policy, of any scope.
        size: Not used.

    Returns:
        Indented JSON.
    """
    return json.dumps(policy.to_dict(), indent=1) + "\n"


def export_yaml(policy: Policy, size: Size = None) -> str:  # noqa: ARG001 - one signature for all
    """Return the policy as YAML: ``Policy.to_dict``.

    Args:
        policy: The policy, of any scope.
        size: Not used.

    Returns:
        YAML; one policy that leaves classes out is told from one by class in its first line.
    """
    import yaml

    text: str = yaml.safe_dump(policy.to_dict(), sort_keys=False, allow_unicode=True)
    return text if policy.names and not policy.left_out else _comment(policy) + text


def _comment(policy: Policy) -> str:
    if not policy.names:
        return NOTHING
    return "# One policy, not one a class: the classes of the group without augmentations are left out of it.\n"
