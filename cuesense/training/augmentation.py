"""Augmentation policies as a torch module, for a user's own training loop and for cuesense's trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cuesense.draws import Draws
from cuesense.errors import SettingsError, expected
from cuesense.policies.policy import PROBABILITY, Policy, Scope, augmentation, uniform
from cuesense.policies.profile_budgets import profile_of
from cuesense.policies.recommend import recommend
from cuesense.schemas.profile import Profile
from cuesense.types import Perturbation

# How far pixels may lie outside of [0, 1]: far above what rounding does, also in bfloat16 on its way up to 1, and far
# below what normalization does. Chosen by hand.
_ROUNDING = 1e-3


class PolicyAugmentation(nn.Module):
    """Augment a batch, every image with its own random parameters, at most as strongly as its class may be.

    Random numbers come from torch (``torch.manual_seed`` repeats them). In evaluation mode images pass
    through as they are. It holds no parameters. Class weights of a policy change the loss, not the images: pass
    ``policy.class_weights`` to it, as in ``torch.nn.CrossEntropyLoss(weight=torch.tensor(policy.class_weights))``.

    Attributes:
        policy: What is done.
    """

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy = policy
        self._steps = [_Step(augmentation(name), policy) for name in policy.names]
        self._range_known = False

    @classmethod
    def from_profile(
        cls,
        profile: Profile | str | Path,
        scope: Scope = "global",
        *,
        tolerance: float | None = None,
        risk: float | None = None,
        augmentations: Sequence[str] | None = None,
        probability: float = PROBABILITY,
        guards: bool = True,
    ) -> PolicyAugmentation:
        """Return the module that does what is recommended for a profile; the arguments are those of ``recommend``.

        Args:
            profile: A profile, or the path of one.
            scope: ``"global"``, ``"grouped"`` or ``"per_class"``.
            tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1); None takes the profile's own.
            risk: The largest chance, for each class, of losing more, in (0, 0.5]; None takes the profile's own.
            augmentations: Names to choose from; None takes all that the profile measured.
            probability: Chance that a view is augmented, in (0, 1].
            guards: Whether classes that are confused with each other share their values in scope per_class.

        Returns:
            The module.

        Raises:
            SettingsError: As in ``recommend``.
        """
        found = profile_of(profile)
        policy = recommend(
            found,
            scope,
            tolerance=tolerance,
            risk=risk,
            augmentations=augmentations,
            probability=probability,
            guards=guards,
        )
        return cls(policy)

    @classmethod
    def from_values(
        cls, values: Mapping[str, float], class_names: Sequence[str] = (), *, probability: float = PROBABILITY
    ) -> PolicyAugmentation:
        """Return the module that does the same to every class.

        Args:
            values: The strongest value of each augmentation, by its name, such as ``{"random_resized_crop": 0.4}``.
            class_names: Names of the classes.
            probability: Chance that a view is augmented, in (0, 1].

        Returns:
            The module.

        Raises:
            SettingsError: A name or a number is wrong.
        """
        return cls(uniform(values, class_names, probability))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Augment images.

        Args:
            images: (N, 3, H, W) float32 in [0, 1], before normalization, or one image (3, H, W).
            labels: (N,) integers, or one, the class of each image; needed unless the policy is global.

        Returns:
            Images of the same shape, dtype and device, in [0, 1].

        Raises:
            SettingsError: The images have another shape, type or range (on a GPU the first batch alone is asked for its
                range, as it would wait each time), or labels are missing or name no class.
        """
        if isinstance(images, Tensor) and images.ndim == 3:
            one = None if labels is None else torch.as_tensor(labels).view(1)
            return self.forward(images[None], one)[0]
        _check_images(images)
        classes = self._classes(labels, len(images))
        if not self.training or images.numel() == 0:
            return images
        self._check_range(images)
        # Keys from torch, so that torch.manual_seed repeats them; all else from Draws, so that the functions are the
        # analysis' own.
        keys = torch.randint(0, 2**62, (1 + len(self._steps), len(images))).numpy().astype(np.uint64)
        chosen = Draws(keys[0]).uniform(1)[:, 0] < self.policy.probability
        with torch.no_grad():
            changed = images.float()
            for step, step_keys in zip(self._steps, keys[1:], strict=True):
                changed = step(changed, classes, chosen, step_keys)
        return changed.to(images.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the policy as JSON values."""
        return self.policy.to_dict()

    def extra_repr(self) -> str:
        """Return scope, probability, the number of groups, and the values where all classes share them."""
        policy = self.policy
        groups = len(set(policy.groups))
        shown = "" if policy.scope != "global" else f", {dict(policy.values[0])}"
        return f"scope={policy.scope!r}, probability={policy.probability:g}, groups={max(1, groups)}{shown}"

    def _check_range(self, images: Tensor) -> None:
        """Raise SettingsError where pixels are outside of [0, 1]; of a GPU's images the first batch alone is checked.

        Batches of one loader are prepared alike, and to look at a GPU's values would make it wait at every step.
        """
        if images.device.type != "cpu" and self._range_known:
            return
        low, high = (float(bound) for bound in images.aminmax())
        # Written so that NaN fails too.
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
            do = "Augment before normalization, and clamp what resizing leaves outside: images.clamp(0, 1)"
            raise SettingsError(expected("images", "floats in [0, 1]", f"{low:.4g} to {high:.4g}", do))
        self._range_known = True

    def _classes(self, labels: Tensor | None, images: int) -> np.ndarray:
        if self.policy.scope == "global":
            return np.zeros(images, dtype=np.int64)
        if labels is None:
            do = "Call it with (images, labels)"
            raise SettingsError(expected("a policy by class", "called with the images' labels", "none", do))
        found = torch.as_tensor(labels).detach().cpu().numpy()
        known = len(self.policy.class_names)
        whole = np.issubdtype(found.dtype, np.integer) and found.shape == (images,)
        if not whole or (images and not 0 <= found.min() <= found.max() < known):
            got = f"shape {found.shape}, type {found.dtype}" if not whole else f"{found.min()} to {found.max()}"
            to_be = f"one whole number an image, from 0 to {known - 1}"
            raise SettingsError(expected("labels", to_be, got, "Pass the profile's class indices"))
        return found


class _Step:
    """One augmentation, with its strongest value for each class."""

    def __init__(self, entry: Perturbation, policy: Policy) -> None:
        self.entry = entry
        of_class = [policy.of_class(index).get(entry.name, entry.identity) for index in range(len(policy.class_names))]
        self.values = np.array(of_class if policy.scope != "global" else [policy.values[0][entry.name]])

    # A perturbation takes one value for a batch, so classes that share a value are augmented together.
    def __call__(self, images: Tensor, classes: np.ndarray, chosen: np.ndarray, keys: np.ndarray) -> Tensor:
        values = np.where(chosen, self.values[classes], self.entry.identity)
        for value in np.unique(values[values != self.entry.identity]).tolist():
            chosen_rows = np.flatnonzero(values == value)
            rows = torch.from_numpy(chosen_rows).to(images.device)
            changed = self.entry.apply(images.index_select(0, rows), value, Draws(keys[chosen_rows])).clamp_(0, 1)
            images = images.index_copy(0, rows, changed)
        return images


def _check_images(images: object) -> None:
    if not isinstance(images, Tensor) or not images.is_floating_point():
        got = images.dtype if isinstance(images, Tensor) else type(images).__name__
        do = "Convert 8-bit images with images.float() / 255, and normalize afterwards"
        raise SettingsError(expected("images", "a tensor of floats in [0, 1]", got, do))
    if images.ndim != 4 or images.shape[1] != 3:
        shape = tuple(images.shape)
        raise SettingsError(expected("images", "of shape (N, 3, H, W)", shape, "Stack RGB images into one batch"))
