"""Transfers: features that lost a color no longer tell the classes that need it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

import cuesense
from cuesense.errors import CuesenseError
from cuesense.inference.options import RayWorkers, RunOptions
from cuesense.inference.probe import IMAGES
from cuesense.inference.ray_cluster import RayEngine
from cuesense.schemas.audit import Audit
from cuesense.types import Sample
from cuesense.workflows import transfer as transfers
from cuesense.workflows.transfer import transfer
from tests.helpers.own_pools import use_own_pool
from tests.helpers.small_networks import NAMES, SIZE, Colors, picture

OPTIONS = {"arch": "python:tests.workflows.test_transfer:network", "image_size": SIZE, "resize": SIZE}
OPTIONS |= {"mean": (0.5,) * 3, "std": (0.25,) * 3}


def network() -> nn.Sequential:
    """Features are mean colors, passed through a matrix that a regularizer may have emptied."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3), nn.Linear(3, 5))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks of another task; with strength 1 their features no longer tell green from blue."""
    folder, rows = tmp_path_factory.mktemp("sweep"), []
    for strength in (0.0, 1.0):
        for seed in range(3):
            random = torch.Generator().manual_seed(seed)
            made = network()
            mixed = torch.eye(3) + 0.05 * torch.randn(3, 3, generator=random)
            if strength:
                mixed[1] = mixed[2] = torch.tensor([0.0, 1.0, 1.0])
            with torch.no_grad():
                made[2].weight.copy_(mixed)
            torch.save(made.state_dict(), folder / f"{strength}_{seed}.pt")
            rows.append((f"{strength}_{seed}.pt", strength, seed))
    pd.DataFrame(rows, columns=["model", "strength", "seed"]).to_csv(folder / "runs.csv", index=False)
    return folder / "runs.csv"


def test_the_downstream_classes_that_pay_are_named(runs: Path, tmp_path: Path) -> None:
    found = transfer(runs, Colors(150), output=tmp_path, **OPTIONS)
    assert found.chosen_by_mean == 0.0
    brick, grass, water = found.classes
    assert brick.loss_at_strongest == pytest.approx(0, abs=0.05)
    assert (grass.loss_at_strongest or 0) + (water.loss_at_strongest or 0) > 0.5
    assert found.mean_accuracy[0] == 1.0
    assert found.mean_accuracy[1] < 0.85
    assert found.source["train"] == "five folds of the dataset"
    assert "grass" in (tmp_path / "audit.json").read_text()


def test_training_images_of_their_own_are_matched_by_name(runs: Path) -> None:
    class Turned(Colors):
        @property
        def labels(self) -> list[int]:
            return [2 - label for label in super().labels]

        def __getitem__(self, index: int) -> Sample:
            name, label = self.sample_ids[index], self.labels[index]
            return Sample(name, picture(1000 + int(name), 2 - label), label)

    found = transfer(runs, Colors(90), train=Turned(60, class_names=NAMES[::-1]), **OPTIONS)
    assert found.mean_accuracy[0] == 1.0
    assert found.source["train"] == "colors"


def test_the_same_call_goes_on_from_the_answers(runs: Path, tmp_path: Path) -> None:
    data, seen = Colors(60), []
    first = transfer(runs, data, output=tmp_path, **OPTIONS)
    data.read.clear()
    again = transfer(runs, data, output=tmp_path, progress=lambda *parts: seen.append(parts), **OPTIONS)
    assert again == first
    assert len(data.read) == IMAGES
    assert seen[-1] == (360, 360)
    data.read.clear()
    transfer(runs, data, output=tmp_path, restart=True, **OPTIONS)
    assert len(data.read) == 60


def test_workers_give_the_transfer_of_one_process(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def connected(engine: RayEngine | None, options: RunOptions, *, default_batch: bool) -> Iterator[RunOptions]:
        assert default_batch
        yield options if engine is None else replace(options, ray=RayWorkers(2))

    done, steps = use_own_pool(monkeypatch), list[tuple[int, int]]()
    monkeypatch.setattr(transfers, "connected", connected)
    expected = transfer(runs, Colors(60), output=tmp_path / "local", **OPTIONS)

    def shared(progress: Callable[[int, int], None]) -> Audit:
        return transfer(runs, Colors(60), output=tmp_path / "ray", engine="ray", progress=progress, **OPTIONS)

    def stop(*pair: int) -> None:
        if pair[0] > 60:
            raise KeyboardInterrupt

    def kept(folder: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (tmp_path / folder / "answers").glob("run-*.npz")}

    with pytest.raises(KeyboardInterrupt):
        shared(stop)
    assert len(kept("ray")) == 2
    fitted = transfers._predict_one
    monkeypatch.setattr(transfers, "_predict_one", lambda *given: done.append("fitted") or fitted(*given))
    assert shared(lambda *pair: steps.append(pair)) == expected
    assert done == [5, 4, "closed", 5, 4, *(entry for task in (3, 2, 1, 0) for entry in (task, "fitted")), "closed"]
    assert steps == [(60 * number, 360) for number in range(1, 7)]
    assert kept("ray") == kept("local")


def test_one_of_several_weights_is_taken_and_kept_apart(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    torch.manual_seed(5)
    other = {key: torch.randn_like(value) for key, value in network().state_dict().items()}
    for path in runs.parent.glob("*.pt"):
        torch.save({"other": other, "own": torch.load(path)}, tmp_path / "both" / path.name)
    both = tmp_path / "both" / "runs.csv"
    both.write_text(runs.read_text())
    for key in ("own", "other", "own"):
        found = transfer(both, Colors(60), output=tmp_path / "kept", weights_key=key, **OPTIONS)
        assert (found.mean_accuracy == transfer(runs, Colors(60), **OPTIONS).mean_accuracy) == (key == "own")


def test_images_that_cannot_be_read_are_left_out(runs: Path) -> None:
    data = Colors(90, broken=frozenset({0, 4, 50}))
    found = transfer(runs, data, **OPTIONS)
    assert sum(entry.n for entry in found.classes) == 87


def test_limits_hold_on_both_sides(runs: Path) -> None:
    assert sum(entry.n for entry in transfer(runs, Colors(15), **OPTIONS).classes) == 15
    with pytest.raises(CuesenseError, match="5 images of each class at least, but got 4 of 'grass'"):
        transfer(runs, Colors(13), **OPTIONS)
    tolerated = Colors(60, broken=frozenset(range(3)))
    assert sum(entry.n for entry in transfer(runs, tolerated, **OPTIONS).classes) == 57
    with pytest.raises(CuesenseError, match="but got 4 of 60 that are not"):
        transfer(runs, Colors(60, broken=frozenset(range(4))), **OPTIONS)


def test_mistakes_are_one_sentence(runs: Path, model_file: Path, tmp_path: Path) -> None:
    with pytest.raises(CuesenseError, match="dataset to be 5 images of each class at least, but got 2 of 'brick'"):
        transfer(runs, Colors(6), **OPTIONS)
    with pytest.raises(CuesenseError, match="train to be a dataset of the same 3 classes"):
        transfer(runs, Colors(60), train=Colors(60, class_names=("a", "b", "c")), **OPTIONS)
    with pytest.raises(CuesenseError, match="95 % of its images at least, but got 6 of 60 that are not"):
        transfer(runs, Colors(60, broken=frozenset(range(6))), **OPTIONS)
    with pytest.raises(CuesenseError, match="60 of 60 images that are among those of train"):
        transfer(runs, Colors(60), train=Colors(66), **OPTIONS)
    with pytest.raises(CuesenseError, match="train to be other images than dataset, but got the same"):
        transfer(runs, Colors(60), train=Colors(60), **OPTIONS)
    (tmp_path / "runs.csv").write_text(f"model,strength,seed\n{model_file},0,0\n{model_file},1,0\n")
    with pytest.raises(CuesenseError, match="the checkpoints to be networks whose features can be seen"):
        transfer(tmp_path / "runs.csv", Colors(60), **OPTIONS | {"arch": None, "allow_code": True})


def test_the_library_s_name_is_the_function() -> None:
    assert cuesense.transfer is transfer


def test_copies_are_tested_once_and_trained_images_are_named(runs: Path, tmp_path: Path) -> None:
    class Again(Colors):
        """Images of which those with ids from 60 on are the first ones again."""

        def __getitem__(self, index: int) -> Sample:
            found = super().__getitem__(index)
            number = int(found.id)
            return Sample(found.id, picture(number - 60 * (number >= 60), found.label), found.label)

    found = transfer(runs, Again(90), **OPTIONS)
    assert found.source["images"] == 60
    assert sum(warning.startswith("30 of 90 images are copies of others") for warning in found.warnings) == 1
    assert not any("could not be read" in warning for warning in found.warnings)

    class Shared(Colors):
        """Images of which the last two are trained on as well."""

        def __getitem__(self, index: int) -> Sample:
            found = super().__getitem__(index)
            number = int(found.id)
            return Sample(found.id, picture(number if number >= 58 else 1000 + number, found.label), found.label)

    for _ in range(2):
        fitted = transfer(runs, Shared(60), train=Colors(64), output=tmp_path, **OPTIONS)
        (remark,) = (warning for warning in fitted.warnings if "training images" in warning)
        assert remark.startswith("2 images of 60 of --dataset are also among the training images: '00059', '00058'.")
