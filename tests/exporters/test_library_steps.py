"""Exports of kornia's augmentations: their pixels agree in distribution with the analysis, and lacks are said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cuesense.errors import SettingsError
from cuesense.exporters.library_steps import formats
from cuesense.perturbations import kornia_table
from cuesense.perturbations.apply import perturb
from cuesense.policies.policy import uniform
from cuesense.types import Perturbation
from tests.helpers.exported_code import SIZE, exported, transform_of

NAMES = ("a", "b")
ROWS = {entry.name: entry for entry in vars(kornia_table).values() if isinstance(entry, Perturbation)}
IN_TORCHVISION = [name for name, entry in ROWS.items() if "torchvision" in formats(entry.apply)]
IN_ALBUMENTATIONS = [name for name, entry in ROWS.items() if "albumentations" in formats(entry.apply)]


def picture() -> Tensor:
    """A smooth, colorful picture with a bright corner and a grid of lines, of values from 0 to 1."""
    y, x = np.meshgrid(np.linspace(0, 1, SIZE[0]), np.linspace(0, 1, SIZE[1]), indexing="ij")
    waves = np.stack([0.5 + 0.4 * np.sin(5 * x + shift) * np.cos(4 * y) for shift in (0.0, 1.0, 2.5)])
    waves[0, :12, :12], waves[:, ::8] = 0.95, 0.1
    waves[1, :, 30:34] = 1.0
    return torch.from_numpy((waves * 255).round() / 255).float()


def statistics(pictures: Tensor) -> np.ndarray:
    """Per image: means and deviations by channel, means by quadrant, edges, and the spread over channels."""
    rows = [
        pictures.mean(dim=(2, 3)),
        pictures.std(dim=(2, 3)),
        pictures[:, :, :24, :24].mean(dim=(2, 3)),
        pictures[:, :, 24:, 24:].mean(dim=(2, 3)),
        pictures.diff(dim=3).abs().mean(dim=(2, 3)),
        pictures.diff(dim=2).abs().mean(dim=(2, 3)),
        (pictures.amax(1) - pictures.amin(1)).mean(dim=(1, 2))[:, None],
    ]
    return torch.cat(rows, dim=1).numpy()


def gap(found: Tensor, analyzed: Tensor) -> float:
    """Mean distance of quantiles, in deviations of what was analyzed."""
    levels = np.linspace(0.05, 0.95, 10)
    a, b = statistics(found), statistics(analyzed)
    return float((np.abs(np.quantile(a, levels, 0) - np.quantile(b, levels, 0)) / (b.std(0) + 0.01)).mean())


def drawn(library: str, name: str, value: float, number: int) -> Tensor:
    transform = transform_of(exported(library, uniform({name: value}, NAMES, 1.0)))
    pictures = picture().expand(number, -1, -1, -1)
    torch.manual_seed(0)
    return transform(pictures) if library == "kornia" else torch.stack([transform(one) for one in pictures])


@pytest.mark.parametrize(
    ("library", "name"), [*(("kornia", name) for name in ROWS), *(("torchvision", name) for name in IN_TORCHVISION)]
)
def test_pixels_agree_in_distribution_with_what_was_analyzed(library: str, name: str) -> None:
    entry = ROWS[name]
    number, value, other = 120, entry.ladder[-1], entry.ladder[0]
    pictures = picture().expand(number, -1, -1, -1)
    ids = [str(index) for index in range(number)]
    analyzed = perturb(entry, pictures, ids, value)
    found = drawn(library, name, value, number)
    assert 0 <= found.min() <= found.max() <= 1
    # torchvision moves by whole pixels, which blurs no edges.
    assert gap(found, analyzed) < (0.4 if (library, name) == ("torchvision", "random_translation") else 0.25)
    assert gap(found, analyzed) < 0.6 * gap(perturb(entry, pictures, ids, other), analyzed)


def test_at_least_thirty_augmentations_are_exported_to_kornia_and_many_elsewhere() -> None:
    assert len(ROWS) >= 30
    assert all("kornia" in formats(entry.apply) for entry in ROWS.values())
    assert len(IN_TORCHVISION) >= 11
    assert len(IN_ALBUMENTATIONS) >= 13


@pytest.mark.parametrize("name", ROWS)
def test_an_augmentation_that_a_library_lacks_names_those_that_have_it(name: str) -> None:
    policy = uniform({name: ROWS[name].ladder[1]}, NAMES)
    for library, having in (("torchvision", IN_TORCHVISION), ("albumentations", IN_ALBUMENTATIONS)):
        if name in having:
            assert exported(library, policy)
        else:
            with pytest.raises(SettingsError, match=f"one that {library} has, but got '{name}'. Choose .*kornia"):
                exported(library, policy)


@pytest.mark.parametrize("name", [name for name, entry in ROWS.items() if entry.apply.sized])
def test_an_unknown_size_is_asked_for_where_it_counts(name: str) -> None:
    with pytest.raises(SettingsError, match="Give image_size"):
        exported("kornia", uniform({name: ROWS[name].ladder[1]}, NAMES), None)
    assert exported("kornia", uniform({"solarize": 0.5}, NAMES), None)


@pytest.mark.parametrize("name", IN_ALBUMENTATIONS)
def test_albumentations_json_names_a_class_and_numbers(name: str) -> None:
    written = json.loads(exported("albumentations", uniform({name: ROWS[name].ladder[1]}, NAMES)))
    (step,) = written["transform"]["transforms"][0]["transforms"]
    assert step["p"] == (ROWS[name].ladder[1] if ROWS[name].apply.chance else 1.0)
    assert step["__class_fullname__"].isidentifier()


def test_timm_s_comments_name_what_it_has_no_flag_for() -> None:
    assert "solarize" in exported("timm", uniform({"solarize": 0.5}, NAMES)).splitlines()[1]


@pytest.mark.parametrize(
    ("library", "name", "value"),
    [
        ("kornia", "kornia:RandomRain", 0.5),
        ("torchvision", "torchvision:TrivialAugmentWide", 0.5),
        ("torchvision", "torchvision:RandAugment", 9.0),
        ("torchvision", "torchvision:RandomPhotometricDistort", 0.5),
    ],
)
def test_a_transform_named_by_its_library_is_exported_to_it(library: str, name: str, value: float) -> None:
    transform = transform_of(exported(library, uniform({name: value}, NAMES, 1.0)))
    torch.manual_seed(0)
    pictures = picture().expand(20, -1, -1, -1)
    found = transform(pictures) if library == "kornia" else torch.stack([transform(one) for one in pictures])
    changed = (found != pictures).flatten(1).any(1).float().mean()
    assert changed > 0.2
    other = "torchvision" if library == "kornia" else "kornia"
    with pytest.raises(SettingsError, match=f"one that {other} has"):
        exported(other, uniform({name: value}, NAMES))


def test_the_page_on_augmentations_lists_every_row_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "augmentations.md").read_text(encoding="utf-8")
    section = page.partition("## From kornia\n")[2].partition("\n## ")[0]
    listed = [line.rsplit("|", 2)[0] for line in section.splitlines() if line.startswith("| `")]
    rows = []
    for entry in ROWS.values():
        ladder = ", ".join(f"{value:g}" for value in entry.ladder)
        cells = [f"`{entry.name}`", f"{entry.parameter} ({entry.unit})", ladder, f"`{entry.apply.transform}`"]
        rows.append("| " + " | ".join([*cells, entry.damages, ", ".join(formats(entry.apply))]) + " ")
    assert listed == rows
