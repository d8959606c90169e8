"""Example images: the answers beside them are those of the network."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from cuesense import registry
from cuesense.datasets.images import prepare
from cuesense.inference.engine import predict
from cuesense.inference.options import RunOptions
from cuesense.perturbations.apply import perturb
from cuesense.predictions.predictions import ClassMap, from_outcomes
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import ClassNames, Condition
from cuesense.workflows import pictures as module
from cuesense.workflows.pictures import pictures
from tests.helpers.small_networks import NAMES, Colors, classifier

PERTURBATIONS = tuple(
    replace(registry.get("perturbations", name), ladder=ladder)
    for name, ladder in (("color_jitter", (0.4, 0.8)), ("grayscale", (0.5, 1.0)))
)
CONDITIONS = (Condition(), *(Condition(entry, at) for entry in PERTURBATIONS for at in (1, 2)))
SEED = 5


def measured(dataset: Colors, model=None, names=NAMES):
    """Return all that pictures are made of."""
    model = model or classifier()
    outcomes = predict(model, dataset, (0, 1, 2), CONDITIONS, OutcomeStore(), RunOptions(batch_size=8, seed=SEED))
    classes = ClassMap(NAMES, names, (0, 1, 2))
    found = from_outcomes(outcomes, PERTURBATIONS, CONDITIONS, classes, sorted(dataset.sample_ids), None)
    return model, found, outcomes


def drawn(dataset: Colors, model=None, names=NAMES):
    found = measured(dataset, model, names)
    return pictures(found[0], dataset, *found[1:], seed=SEED)


def test_every_answer_is_the_networks_own():
    dataset = Colors(18)
    model = classifier()
    places = {name: at for at, name in enumerate(dataset.sample_ids)}
    strips = [(label, strip) for label, parts in drawn(dataset, model).items() for strip in parts]
    assert len(strips) == 6
    mean, std = (torch.tensor(part)[:, None, None] for part in (model.preprocessing.mean, model.preprocessing.std))
    for label, strip in strips:
        image = prepare(dataset[places[strip.clean.sample_id]].image, model.preprocessing)
        entry = registry.get("perturbations", strip.perturbation)
        pixels = torch.from_numpy(image.pixels)[None].float() / 255
        for tile in (strip.clean, *strip.tiles):
            shown = perturb(entry, pixels, [image.key], tile.value, seed=SEED) if tile.severity else pixels
            chances = model.network((shown - mean) / std).detach().softmax(1)[0]
            order = chances.argsort(descending=True).tolist()
            assert tile.answer.name == NAMES[order[0]]
            assert tile.answer.right == (order[0] == label)
            assert tile.answer.probability == pytest.approx(float(chances[order[0]]), abs=1e-4)
            rival = order[1] if order[0] == label else label
            assert tile.answer.rival == NAMES[rival]
            assert tile.answer.rival_probability == pytest.approx(float(chances[rival]), abs=1e-4)
            expected = np.asarray(shown[0].mul(255).round().byte().permute(1, 2, 0))
            seen = np.asarray(Image.open(io.BytesIO(tile.image)).convert("RGB"), np.int64)
            assert seen.shape == expected.shape
            assert np.abs(seen.mean((0, 1)) - expected.mean((0, 1))).max() < 12


def test_an_image_that_cannot_be_read_any_more_is_left_out():
    dataset = Colors(12)
    parts = measured(dataset)
    whole = pictures(parts[0], dataset, *parts[1:], seed=SEED)
    gone = places_of(dataset, {strip.clean.sample_id for strip in whole[0]})
    found = pictures(parts[0], replace(dataset, broken=frozenset(gone)), *parts[1:], seed=SEED)
    assert 0 not in found
    assert found[1] == whole[1]


def places_of(dataset: Colors, ids: set[str]) -> list[int]:
    return [at for at, name in enumerate(dataset.sample_ids) if name in ids]


def test_fewer_bytes_give_fewer_pictures_but_one_strip_at_least(monkeypatch):
    dataset = Colors(12)
    parts = measured(dataset)

    def size(limit: int) -> tuple[int, int]:
        monkeypatch.setattr(module, "_BYTES", limit)
        found = pictures(parts[0], dataset, *parts[1:], seed=SEED)
        tiles = [tile for strips in found.values() for strip in strips for tile in (strip.clean, *strip.tiles)]
        return len(tiles), sum(len(strips) for strips in found.values())

    assert size(10_000_000)[1] == 6
    few = size(3 * 2 * 960)
    assert few == (6, 3)


def test_strips_beyond_the_bytes_of_a_class_are_dropped():
    parts = drawn(Colors(12))[0]
    one = sum(len(tile.image) for tile in (parts[0].clean, *parts[0].tiles))
    assert module._within(parts, one) == parts[:1]
    assert module._within(parts, 0) == parts[:1]
    assert module._within(parts, 10 * one) == parts


def test_a_rival_that_is_no_class_of_the_dataset_has_no_name():
    class Wide(torch.nn.Module):
        """Three outputs of the classes, and a fourth that is nearly as likely as the first."""

        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, images):
            found = self.network(images)
            return torch.cat([found, found.amax(1, keepdim=True) - 0.01], 1)

    usual = classifier()
    dataset = Colors(9)
    model = replace(usual, network=Wide(usual.network), class_names=ClassNames((*NAMES, "sky")))
    found = drawn(dataset, model, (*NAMES, "sky"))
    answers = [strip.clean.answer for strips in found.values() for strip in strips]
    assert all(answer.right and answer.rival is None for answer in answers)
    assert all(answer.rival_probability == pytest.approx(answer.probability * np.exp(-0.01)) for answer in answers)
