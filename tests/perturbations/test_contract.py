"""One contract over every registered perturbation."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from cuesense import registry
from cuesense.draws import Draws
from cuesense.errors import SettingsError
from cuesense.perturbations.apply import perturb
from cuesense.perturbations.kornia_table import row_of
from cuesense.types import Cue, LazyFunction, Perturbation, Role

NAMES = registry.names("perturbations")


def ids(count: int) -> list[str]:
    return [f"class/{index:04d}.jpg" for index in range(count)]


@pytest.fixture(params=NAMES)
def perturbation(request: pytest.FixtureRequest) -> Perturbation:
    return registry.get("perturbations", request.param)


def test_has_a_ladder_from_mild_to_strong_within_its_limits(perturbation: Perturbation) -> None:
    distances = [abs(value - perturbation.identity) for value in perturbation.ladder]
    assert len(perturbation.ladder) >= 4
    assert sorted(set(distances)) == distances
    assert min(distances) > 0
    assert all(perturbation.limits[0] <= value <= perturbation.limits[1] for value in perturbation.ladder)
    assert perturbation.parameter
    assert perturbation.unit
    assert perturbation.damages
    assert bool(perturbation.suppresses) == (perturbation.role is Role.SUPPRESSION)


def test_documents_its_source_and_what_it_does(perturbation: Perturbation) -> None:
    if row_of(perturbation) is not None:
        # kornia's documentation is the source; the cue is in the table.
        return
    assert isinstance(perturbation.apply, LazyFunction)
    text = perturbation.apply.resolve().__doc__ or ""
    assert "Source:" in text
    assert any(word in text for word in ("Suppresses", "Harms"))
    for cue in perturbation.suppresses:
        assert cue.value in text


@pytest.mark.parametrize("index", [0, -1])
def test_keeps_shape_type_range_and_its_input(perturbation: Perturbation, oblongs: Tensor, index: int) -> None:
    before = oblongs.clone()
    for images in (oblongs, oblongs.bfloat16()):
        changed = perturb(perturbation, images, ids(6), perturbation.ladder[index])
        assert changed.shape == images.shape
        assert changed.dtype == images.dtype
        assert torch.isfinite(changed).all()
        assert changed.min() >= 0
        assert changed.max() <= 1
    assert torch.equal(oblongs, before)


@pytest.mark.parametrize("index", [0, -1])
def test_does_not_depend_on_batch_order_or_neighbors(perturbation: Perturbation, oblongs: Tensor, index: int) -> None:
    value, names = perturbation.ladder[index], ids(6)
    together = perturb(perturbation, oblongs, names, value, seed=3)
    assert torch.equal(together, perturb(perturbation, oblongs, names, value, seed=3))
    order = [4, 0, 5, 2]
    shuffled = perturb(perturbation, oblongs[order], [names[index] for index in order], value, seed=3)
    assert torch.equal(shuffled, together[order])
    alone = perturb(perturbation, oblongs[2:3], names[2:3], value, seed=3)
    assert torch.equal(alone, together[2:3])


def test_the_batched_form_that_accelerators_use_agrees(perturbation: Perturbation, oblongs: Tensor) -> None:
    for value in perturbation.ladder[1::2]:
        draws = Draws.of(ids(6), perturbation=perturbation.name, value=value, seed=0)
        batched = perturbation.apply(oblongs, value, draws).clamp(0, 1)
        torch.testing.assert_close(batched, perturb(perturbation, oblongs, ids(6), value), atol=2e-5, rtol=0)


def test_severity_zero_is_the_identity_and_a_copy(perturbation: Perturbation, photos: Tensor) -> None:
    unchanged = perturb(perturbation, photos, ids(8), perturbation.identity)
    assert torch.equal(unchanged, photos)
    assert unchanged.data_ptr() != photos.data_ptr()


def test_stronger_severities_change_more(perturbation: Perturbation, photos: Tensor) -> None:
    """Pixels on photographs; where grids decide alone, neighbors torn apart on a smooth image."""
    turns = perturbation.name in {
        "patch_rotation",
        "patch_shuffle_gaussian_blur",
        "grayscale_patch_shuffle",
        "patch_shuffle_opening_closing",
        "grayscale_patch_shuffle_gaussian_blur",
    }
    many = photos.repeat(8, 1, 1, 1)
    images = _ramps(many) if turns else many
    changes = []
    for value in perturbation.ladder:
        changed = perturb(perturbation, images, ids(64), value)
        measure = _torn(changed) if turns else (changed - images).abs().mean()
        changes.append(float(measure))
    assert changes[0] > 0
    assert all(later > earlier for earlier, later in pairwise(changes)), changes


def test_seed_and_repeat_change_the_random_parameters(perturbation: Perturbation, photos: Tensor) -> None:
    value = perturbation.ladder[1]
    first = perturb(perturbation, photos, ids(8), value)
    others = [
        perturb(perturbation, photos, ids(8), value, seed=1),
        perturb(perturbation, photos, ids(8), value, repeat=1),
    ]
    random = perturbation.name not in {
        "grayscale",
        "grayscale_maximum",
        "grayscale_minimum",
        "median_blur",
        "bilateral_blur",
        "opening_closing",
        "gaussian_blur",
        "grayscale_opening_closing",
        "grayscale_bilateral_blur",
    }
    row = row_of(perturbation)
    for other in others:
        assert torch.equal(first, other) != (random and not (row is not None and row.fixed))


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 64), (33, 7)])
def test_works_on_any_size(perturbation: Perturbation, size: tuple[int, int]) -> None:
    images = torch.rand(3, 3, *size, generator=torch.Generator().manual_seed(0))
    for value in perturbation.ladder:
        changed = perturb(perturbation, images, ids(3), value)
        assert changed.shape == images.shape
        assert torch.isfinite(changed).all()


def test_an_empty_batch_stays_empty(perturbation: Perturbation) -> None:
    assert perturb(perturbation, torch.empty(0, 3, 8, 8), [], perturbation.ladder[0]).shape == (0, 3, 8, 8)


def test_refuses_values_out_of_range(perturbation: Perturbation, photos: Tensor) -> None:
    with pytest.raises(SettingsError, match=f"{perturbation.name}'s {perturbation.parameter}"):
        perturb(perturbation, photos, ids(8), perturbation.limits[1] + 1)


def test_refuses_a_part_of_a_tile_or_a_bit(perturbation: Perturbation, photos: Tensor) -> None:
    assert perturbation.whole == (perturbation.unit in ("tiles a side", "bits"))
    if perturbation.whole:
        with pytest.raises(SettingsError, match="whole number"):
            perturb(perturbation, photos, ids(8), 2.5)


def test_refuses_eight_bit_images(perturbation: Perturbation) -> None:
    for images in (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), torch.zeros(1, 3, 8, 8).numpy()):
        with pytest.raises(SettingsError, match="float32 or bfloat16"):
            perturb(perturbation, images, ["a"], perturbation.ladder[0])


def test_refuses_images_that_are_no_batch_of_rgb(perturbation: Perturbation) -> None:
    with pytest.raises(SettingsError, match="shape"):
        perturb(perturbation, torch.rand(1, 1, 8, 8), ["a"], perturbation.ladder[0])
    with pytest.raises(SettingsError, match="ids"):
        perturb(perturbation, torch.rand(2, 3, 8, 8), ["a"], perturbation.ladder[0])


def test_every_cue_is_suppressed_by_two_mechanisms_and_left_alone_by_one_or_two() -> None:
    entries = [registry.get("perturbations", name) for name in NAMES]
    for cue in Cue:
        assert sum(entry.cue is cue for entry in entries) >= 2
        alone = sum(set(entry.suppresses) == set(Cue) - {cue} for entry in entries)
        assert alone == (1 if cue is Cue.TEXTURE else 2)


def _ramps(like: Tensor) -> Tensor:
    height, width = like.shape[-2:]
    across = torch.linspace(0, 1, width).expand(height, width)
    down = torch.linspace(0, 1, height)[:, None].expand(height, width)
    return torch.stack([across, down, (across + down) / 2]).expand(len(like), -1, -1, -1)


def _torn(images: Tensor) -> Tensor:
    steps = images.diff(dim=2).abs().amax(dim=1) > 0.05, images.diff(dim=3).abs().amax(dim=1) > 0.05
    return sum(step.float().mean() for step in steps)
