"""How a network wants its images, and where its logits are, is found by trying it, and said."""

from __future__ import annotations

import gc
import re
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cuesense.errors import ModelError
from cuesense.inference.adapting import adapt
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import Probe, probe, probe_pixels
from cuesense.models.adapted import LUMINANCE, Gray
from cuesense.models.common import is_program
from cuesense.training.features import linear_head_name
from cuesense.training.fit import Images
from cuesense.types import Classifier, ClassNames, OutputKind, Preprocessing
from tests.helpers.small_networks import Colors, Meanest, classifier

PLAIN = RunOptions(batch_size=4)


@pytest.fixture
def pixels() -> Tensor:
    return torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(3))


class Around(nn.Module):
    """Meanest, with something before and behind it."""

    def __init__(self, before: Callable[[Tensor], Tensor], behind: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.network, self.before, self.behind = Meanest(), before, behind

    def forward(self, images: Tensor) -> Any:
        return self.behind(self.network(self.before(images)))


class Convolution(nn.Module):
    """A convolution of one pixel, so that its outputs are known, and the mean over pixels."""

    def __init__(self, channels: int, outputs: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, outputs, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.first(images).mean((2, 3))


class Fixed(nn.Module):
    """Takes images of one size alone, and one or three channels."""

    def __init__(self, side: int, channels: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 2, 3, padding=1)
        self.head = nn.Linear(2 * side * side, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.first(images).relu().flatten(1))


def same(images: Tensor) -> Tensor:
    return images


def normalized(pixels: Tensor) -> Tensor:
    return (pixels - 0.5) / 0.25


def test_a_network_that_needs_nothing_stays_itself(pixels: Tensor) -> None:
    plain = classifier()
    found = adapt(plain, pixels, PLAIN)
    assert found.classifier is plain
    assert (found.warnings, found.assumptions) == ((), ())


def test_one_channel_gets_the_luminance(pixels: Tensor) -> None:
    network = Convolution(1)
    found = adapt(classifier(network), pixels, PLAIN)
    gray = (normalized(pixels) * torch.tensor(LUMINANCE).view(1, 3, 1, 1)).sum(1, keepdim=True)
    assert torch.allclose(found.classifier.network(normalized(pixels)), network(gray), atol=1e-5)
    (said,) = found.assumptions
    assert said.startswith("The network takes one channel: it was given the luminance")
    assert "mean 0.5 and standard deviation 0.25." in said
    assert found.warnings == (said,)


@pytest.mark.parametrize(("channels", "others"), [(4, "the fourth"), (13, "the 10 others")])
def test_further_channels_are_filled_and_named(pixels: Tensor, channels: int, others: str) -> None:
    network = Convolution(channels)
    found = adapt(classifier(network), pixels, PLAIN)
    filled = torch.cat([normalized(pixels), torch.zeros(6, channels - 3, 16, 16)], 1)
    assert torch.allclose(found.classifier.network(normalized(pixels)), network(filled), atol=1e-5)
    assert f"takes {channels} channels: red, green and blue came first, and {others} had" in found.warnings[0]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_with_channels_last(pixels: Tensor, channels: int) -> None:
    inner = Convolution(channels)
    network = nn.Sequential(Permuted(), inner)
    found = adapt(classifier(network), pixels, PLAIN)
    direct = adapt(classifier(inner), pixels, PLAIN)
    batch = normalized(pixels)
    assert torch.equal(found.classifier.network(batch), direct.classifier.network(batch))
    assert found.assumptions[0] == "The network takes images of shape (N, H, W, C): it was given them so."
    assert found.warnings == direct.warnings


class Permuted(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.permute(0, 3, 1, 2)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("channels", [1, 4])
def test_torchscript_without_parameters_says_its_channels_in_its_error(pixels: Tensor, channels: int) -> None:
    frozen = torch.jit.freeze(torch.jit.script(Convolution(channels).eval()))
    assert not list(frozen.parameters())
    found = adapt(classifier(frozen), pixels, PLAIN)
    assert found.classifier.network(normalized(pixels)).shape == (6, 3)


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        (
            lambda z: {"logits": z, "features": z[:, :2]},
            "returns a dict: its entry ['logits'] was taken for its logits; 1",
        ),
        (lambda z: (z, 2 * z), "returns a tuple: its entry [0] was taken for its logits; 1 more would fit."),
        (lambda z: [torch.ones(len(z), 9), z], "returns a list: its entry [1] was taken for its logits; 1 more"),
        (lambda z: z[:, :, None, None], "returns outputs of shape (N, 3, 1, 1): they were taken as one row for each"),
    ],
)
def test_logits_are_picked_from_what_is_returned(pixels: Tensor, behind: Callable[[Tensor], Any], said: str) -> None:
    found = adapt(classifier(Around(same, behind)), pixels, PLAIN)
    assert torch.equal(found.classifier.network(normalized(pixels)), Meanest()(normalized(pixels)))
    assert said in found.assumptions[0]


@pytest.mark.parametrize("squeezed", [False, True])
def test_one_logit_is_two_classes(pixels: Tensor, squeezed: bool) -> None:
    def behind(z: Tensor) -> Tensor:
        return z[:, 0] - z[:, 1] if squeezed else (z[:, 0] - z[:, 1])[:, None]

    network = Around(same, behind)
    found = adapt(classifier(network, class_names=ClassNames(("lemon", "orange"))), pixels, PLAIN)
    logits, z = found.classifier.network(normalized(pixels)), network(normalized(pixels)).flatten()
    assert logits.shape == (6, 2)
    assert logits.argmax(1).tolist() == (z > 0).long().tolist()
    assert (
        "the logit of the second class: 'orange' is predicted where it is above 0, else 'lemon'." in found.warnings[-1]
    )


@pytest.mark.parametrize("change", [torch.sigmoid, lambda z: (z.tanh() + 1) / 2])
def test_one_probability_is_two_classes(change: Callable[[Tensor], Tensor]) -> None:
    def behind(z: Tensor) -> Tensor:
        return change((z[:, :1] - z[:, 1:2]) / 20)

    network = Around(same, behind)
    two = classifier(network, class_names=ClassNames(("lemon", "orange")))
    found = probe(two, Colors(30), RunOptions())
    assert found.output_kind is OutputKind.PROBABILITIES
    applied = found.applied(two)
    batch = torch.rand(5, 3, 16, 16)
    assert applied.network(batch).argmax(1).tolist() == (network(batch)[:, 0] > 0.5).long().tolist()
    assert ("(all outputs lie in [0, 1])" in found.warnings[0]) == (change is not torch.sigmoid)


def test_a_linear_head_is_still_seen_behind_adapters() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    tuple_ = classifier(Around(same, same))
    tuple_.network.network = nn.Sequential(network, Twice())  # type: ignore[attr-defined]
    pixels = torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    adapted: Any = probe_pixels(tuple_, pixels, PLAIN).applied(tuple_).network
    images = Images(pixels, torch.zeros(6, dtype=torch.long), tuple_.preprocessing.mean, tuple_.preprocessing.std)
    head = linear_head_name(adapted, images)
    assert head is not None
    assert adapted.get_submodule(head) is network[3]
    assert not is_program(adapted)


class Twice(nn.Module):
    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return z, 2 * z


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_program_in_an_adapter_is_still_a_program() -> None:
    assert is_program(Gray(torch.jit.script(Convolution(1))))
    assert is_program(lambda images: images)
    assert not is_program(Gray(Convolution(1)))


def test_one_output_for_three_classes_stays_one() -> None:
    one = classifier(Around(same, lambda z: z[:, :1]))
    assert probe(one, Colors(30), RunOptions()) == Probe()


def test_the_size_that_a_network_takes_is_found_where_it_was_assumed(pixels: Tensor) -> None:
    assumed = classifier(
        Fixed(32),
        preprocessing=Preprocessing((64, 64), 73, (0.5,) * 3, (0.25,) * 3),
        guessed=frozenset({"image_size", "resize"}),
    )
    found = adapt(assumed, pixels, PLAIN)
    assert found.classifier.preprocessing.image_size == (32, 32)
    assert found.classifier.preprocessing.resize == 36
    assert found.classifier.guessed == {"resize"}
    assert found.warnings == ("The network takes images of 32 x 32 pixels, which was found by trying the usual sizes.",)
    through = probe(assumed, Colors(30), RunOptions())
    assert through.applied(assumed).preprocessing.image_size == (32, 32)


def test_the_size_that_a_network_takes_is_named_where_another_was_given(pixels: Tensor) -> None:
    with pytest.raises(ModelError, match=r"mat1 and mat2 shapes cannot be multiplied .*Give image_size 32, which it"):
        adapt(classifier(Fixed(32)), pixels, PLAIN)
    assumed = classifier(Fixed(32), guessed=frozenset({"image_size"}))
    with pytest.raises(ModelError, match="Give image_size 32"):
        probe_pixels(assumed, (255 * pixels).byte(), PLAIN)


def test_size_and_channels_are_found_together(pixels: Tensor) -> None:
    found = adapt(classifier(Fixed(28, 1), guessed=frozenset({"image_size"})), pixels, PLAIN)
    assert found.classifier.preprocessing.image_size == (28, 28)
    assert found.classifier.network(torch.rand(4, 3, 28, 28)).shape == (4, 3)


def test_a_network_that_always_fails_says_why_for_the_images_as_they_are(pixels: Tensor) -> None:
    def failing(images: Tensor) -> Tensor:
        raise ValueError(f"no {images.shape[1]} such channels")

    with pytest.raises(ModelError, match=r"shape \(4, 3, 16, 16\): no 3 such channels\. Check image_size"):
        adapt(classifier(Around(failing, same)), pixels, PLAIN)


def test_batches_of_sizes_that_fail_are_not_kept(pixels: Tensor) -> None:
    alive: list[weakref.ref[Tensor]] = []
    most = 0

    def failing(images: Tensor) -> Tensor:
        nonlocal alive, most
        alive.append(weakref.ref(images))
        alive = [kept for kept in alive if kept() is not None]
        most = max(most, len(alive))
        raise ValueError("another size")

    gc.disable()
    try:
        with pytest.raises(ModelError, match="another size"):
            adapt(classifier(Around(failing, same)), pixels, PLAIN)
    finally:
        gc.enable()
    # The batch that is tried, in its own layout and in that of an adapter.
    assert most <= 2


def test_nothing_is_disturbed_by_trying(pixels: Tensor) -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), Convolution(3))
    network.train()
    before, state = network[0].running_mean.clone(), torch.get_rng_state()
    adapt(classifier(Around(lambda images: images + torch.rand(1), same)), pixels, PLAIN)
    adapt(classifier(network), pixels, PLAIN)
    assert torch.equal(network[0].running_mean, before)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_was_found_is_applied_and_said() -> None:
    one: Classifier = classifier(Convolution(1))
    found = probe(one, Colors(30), RunOptions())
    applied = found.applied(one)
    assert applied.network is not one.network
    assert re.search("luminance", " ".join(applied.assumptions))
    again = probe(replace(applied, assumptions=()), Colors(30), RunOptions())
    assert again == Probe()
