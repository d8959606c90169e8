"""A policy as JSON or YAML: cuesense's own format, the only one for policies that differ between classes.

Of a policy by class, lists such as ``no_flip_classes`` name the classes that do not get an augmentation: what a
training script needs where it decides by the label whether to flip.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cuesense.exporters.common import NOTHING, Size
from cuesense.policies.policy import Policy

# What a training script calls them.
_SHORT: Mapping[str, str] = {
    "horizontal_flip": "flip",
    "random_resized_crop": "crop",
    "random_grayscale": "grayscale",
    "random_gaussian_blur": "blur",
    "random_erasing": "erasing",
    "random_rotation": "rotation",
}
_EMPTY = "none, on purpose: images are only resized, cropped to the center and normalized"


def export_json(policy: Policy, size: Size = None) -> str:  # noqa: ARG001 - one signature for all
    """Return the policy as JSON: ``Policy.to_dict``.

    Args:
        policy: The policy, of any scope.
        size: Not used.

    Returns:
        Indented JSON.
    """
    return json.dumps(_listed(policy), indent=1) + "\n"


def export_yaml(policy: Policy, size: Size = None) -> str:  # noqa: ARG001 - one signature for all
    """Return the policy as YAML: ``Policy.to_dict``.

    Args:
        policy: The policy, of any scope.
        size: Not used.

    Returns:
        YAML; one policy that leaves classes out is told from one by class in its first line, and a list without
        augmentations says that this is the advice.
    """
    import yaml

    text: str = yaml.safe_dump(_listed(policy), sort_keys=False, allow_unicode=True)
    if not policy.names:
        # An empty list alone looks as if something had failed.
        text = text.replace("augmentations: []\n", f"augmentations: []  # {_EMPTY}\n")
    return text if policy.names and not policy.left_out else _comment(policy) + text


def _listed(policy: Policy) -> dict[str, Any]:
    """Return a policy as JSON values, with the classes that do not get an augmentation which others get."""
    found = {f"no_{_SHORT.get(name, name)}_classes": list(policy.without(name)) for name in policy.names}
    return policy.to_dict() | {key: classes for key, classes in found.items() if classes}


def _comment(policy: Policy) -> str:
    if not policy.names:
        return NOTHING
    return "# One policy, not one a class: the classes of the group without augmentations are left out of it.\n"
