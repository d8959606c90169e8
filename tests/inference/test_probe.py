"""A network is tried on a few images of the dataset before anything is measured."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cuesense.errors import ModelError
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import (
    IMAGES,
    Probe,
    count_outputs,
    dependence_remarks,
    kind_settings,
    probe,
    probe_pixels,
)
from cuesense.types import Classifier, ClassNames, OutputKind
from tests.helpers.dependent_networks import DEPENDENT, SOUND, Changed, ready
from tests.helpers.small_networks import Colors, Meanest, classifier

ALLOWED = RunOptions(allow_nondeterministic=True)


@pytest.mark.parametrize("name", DEPENDENT)
def test_a_network_that_is_no_function_of_one_image_is_refused(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        probe(classifier(ready(DEPENDENT[name])), Colors(30), RunOptions())
    said = caught.value.for_command_line
    assert said.startswith("The model is no function of one image: ")
    assert said.endswith(", or give --allow-nondeterministic to measure it as it is.")
    assert ("Trace or script it again after eval()" in said) == name.startswith("TorchScript")
    assert "allow_nondeterministic=True" in str(caught.value)


def test_it_may_be_measured_where_that_is_said() -> None:
    found = probe(classifier(ready(DEPENDENT["batch statistics"])), Colors(30), ALLOWED)
    assert found.dependence is not None
    assert found.output_kind is OutputKind.LOGITS
    (warning,), (assumption,) = found.warnings, found.assumptions
    assert warning.startswith(f"The model is no function of one image: {found.dependence}. All numbers hold for ")
    assert assumption == (
        f"The model is no function of one image: {found.dependence}. It was measured as it is "
        "(--allow-nondeterministic)."
    )


@pytest.mark.parametrize("name", sorted(set(SOUND) - {"softmax", "a very sure softmax", "scales of the whole batch"}))
@pytest.mark.parametrize(
    ("options", "images"),
    [(RunOptions(), 1), (RunOptions(batch_size=1), 3), (RunOptions(precision="bfloat16"), 30), (RunOptions(), 30)],
)
def test_nothing_is_said_of_sound_networks(name: str, options: RunOptions, images: int) -> None:
    assert probe(classifier(ready(SOUND[name])), Colors(images), options) == Probe()


def test_a_quantized_network_is_an_assumption_and_no_warning() -> None:
    found = probe(classifier(ready(SOUND["scales of the whole batch"])), Colors(30), RunOptions())
    assert found.warnings == ()
    (said,) = found.assumptions
    assert said.startswith("Outputs depend little on the batch, as a quantized network does")


def outputs(change: Callable[[Tensor], Tensor]) -> Classifier:
    return classifier(Changed(lambda logits, _: change(5 * logits)).eval())


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        (lambda logits: logits.softmax(dim=1), OutputKind.PROBABILITIES, "add up to 1. Their logarithm is taken"),
        (lambda logits: 100 * logits.softmax(dim=1), OutputKind.PROBABILITIES, "add up to 100. Their logarithm is"),
        (lambda logits: logits.softmax(dim=1).half(), OutputKind.PROBABILITIES, "those of 8 images are not negative"),
        (torch.sigmoid, OutputKind.SIGMOIDS, "a sigmoid each, which do not add up to 1. Their logit, log(p / (1 - p))"),
        (
            lambda logits: 0.05 + 0.45 * logits.argsort(dim=1),
            OutputKind.LOGITS,
            "all lie in [0, 1], from ",
        ),
    ],
)
def test_what_outputs_are_is_found_out_and_said(
    change: Callable[[Tensor], Tensor], kind: OutputKind, said: str
) -> None:
    model = outputs(change)
    found = probe(model, Colors(30), RunOptions())
    assert found.output_kind is kind
    assert found.dependence is None
    (warning,), (assumption,) = found.warnings, found.assumptions
    assert said in warning
    assert "taken as logits" in assumption
    applied = found.applied(model)
    assert (applied.output_kind, applied.warnings, applied.assumptions) == (kind, (warning,), (assumption,))
    assert kind_settings(applied) == ({} if kind is OutputKind.LOGITS else {"output_kind": kind.value})


@pytest.mark.parametrize(
    "change",
    [
        lambda logits: logits,
        lambda logits: logits.log_softmax(dim=1),
        torch.relu,
        lambda logits: torch.relu(logits.clamp(max=0.4)),
        lambda logits: 0.2 + 0.1 * logits.tanh(),
        lambda logits: logits.softmax(dim=1)[:, :1],
        lambda logits: nn.functional.hardtanh(logits),
    ],
)
def test_logits_of_any_range_are_taken_as_they_are(change: Callable[[Tensor], Tensor]) -> None:
    assert probe(outputs(change), Colors(30), RunOptions()) == Probe()


def test_what_is_found_does_not_depend_on_the_batch_size() -> None:
    softmax = outputs(lambda logits: logits.softmax(dim=1))
    first, *others = (probe(softmax, Colors(30), RunOptions(batch_size=size)) for size in (1, 8, 32))
    assert all(other == first for other in others)


class OneSize(nn.Module):
    """Takes one batch size alone, as a network does that was traced with it."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.seen = size, set[int]()

    def forward(self, images: Tensor) -> Tensor:
        self.seen.add(len(images))
        return images.reshape(self.size, 3, 256).mean(dim=2)


@pytest.mark.parametrize("size", [1, 3, 12])
def test_networks_of_one_batch_size_are_tried_with_it(size: int) -> None:
    exported = OneSize(size)
    assert probe(classifier(exported, fixed_batch=size), Colors(30), RunOptions(batch_size=7)) == Probe()
    assert exported.seen == {size}
    traced = OneSize(size)
    assert probe(classifier(traced), Colors(30), RunOptions(batch_size=size)) == Probe()
    with pytest.raises(ModelError, match=r"failed on a batch of shape \(7, 3, 16, 16\)"):
        probe(classifier(traced), Colors(30), RunOptions(batch_size=7))


def test_a_few_readable_images_are_taken_spread_over_the_dataset() -> None:
    data = Colors(64)
    probe(classifier(), data, RunOptions())
    assert len(data.read) == IMAGES
    assert len({int(name) // 8 for name in data.read}) >= IMAGES - 1
    assert {int(name) % 3 for name in data.read} == {0, 1, 2}
    broken = Colors(64, broken=frozenset(range(0, 64, 2)))
    assert probe(classifier(), broken, RunOptions()) == Probe()
    assert probe(classifier(), Colors(5, broken=frozenset(range(5))), RunOptions()) == Probe()


def test_decoded_images_are_tried_in_the_same_way() -> None:
    pixels = torch.randint(0, 256, (20, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert probe_pixels(classifier(), pixels, RunOptions()) == Probe()
    with pytest.raises(ModelError, match="no function of one image"):
        probe_pixels(classifier(ready(DEPENDENT["dropout left on"])), pixels[:1], RunOptions())


def test_any_callable_may_be_tried() -> None:
    network = Meanest()
    assert probe(classifier(lambda images: network(images)), Colors(30), RunOptions()) == Probe()


def test_networks_of_a_sweep_are_counted() -> None:
    assert dependence_remarks([("a.pt", None), ("b.pt", None)]) == ()
    (said,) = dependence_remarks([("a.pt", None), ("b.pt", "it draws"), ("c.pt", "it counts")])
    assert said == "2 of 3 models are no functions of one image (--allow-nondeterministic), such as 'b.pt': it draws."
    assert not re.search(r"\bNone\b", said)


def test_outputs_are_counted_from_a_few_images_whatever_the_network_returns() -> None:
    class Listed(Meanest):
        def forward(self, images: Tensor) -> Tensor:
            return {"logits": super().forward(images)}  # type: ignore[return-value]

    class Failing(Meanest):
        def forward(self, images: Tensor) -> Tensor:
            raise RuntimeError(f"out of order for {len(images)} images")

    one, two = nn.Sequential(Meanest(), nn.Linear(3, 1)), ClassNames(("a", "b"))
    counted = {
        5: classifier(Meanest(5)),
        3: classifier(Listed()),
        2: classifier(one, class_names=two),
        1: classifier(one),
        None: classifier(Failing()),
    }
    assert {count: count_outputs(model, Colors(30), RunOptions()) for count, model in counted.items()} == {
        count: count for count in counted
    }
    unreadable = Colors(4, broken=frozenset(range(4)))
    assert count_outputs(classifier(), unreadable, RunOptions()) is None
