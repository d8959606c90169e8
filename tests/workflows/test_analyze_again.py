"""Analyses in a folder that holds predictions already: nothing is predicted twice, and nothing of others is taken."""

from pathlib import Path
from typing import Any

import pytest
from torch import Tensor, nn

import cuesense
from cuesense.errors import ModelError, OutputError
from cuesense.inference import units
from cuesense.inference.probe import IMAGES
from cuesense.schemas.profile import Profile
from cuesense.workflows.analyze import analyze as run_analysis
from tests.helpers.small_networks import NAMES, Colors, Meanest, classifier, picture

HALF, QUARTER = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "SHARD_SIZE", 40)


def analyze(dataset: Any = None, **changes: Any) -> Profile:
    return run_analysis(classifier(), dataset or Colors(120), **({"config": "quick", "batch_size": 16} | changes))


def test_a_second_run_predicts_nothing_again_and_decodes_no_file(tmp_path: Path) -> None:
    class Files(Colors):
        @property
        def contents(self) -> list[str]:
            return self.sample_ids

    for kind, decoded in ((Files, 0), (Colors, 120)):
        seen: list[int] = []
        network = nn.Sequential(Meanest())
        network.register_forward_hook(lambda _module, inputs, _outputs, seen=seen: seen.append(len(inputs[0])))
        output = tmp_path / kind.__name__
        run_analysis(classifier(network), kind(120), config="quick", batch_size=16, output=output)
        seen.clear()
        data = kind(120)
        run_analysis(classifier(network), data, config="quick", batch_size=16, output=output)
        # The images that the outputs are counted and the network is tried on, before a folder's results are taken for
        # its own; images in memory are known by their pixels.
        assert len(data.read) <= 2 * IMAGES + decoded
        assert len(seen) <= 2 * IMAGES


def test_other_settings_in_the_same_folder_are_refused_unless_restarted(tmp_path: Path) -> None:
    analyze(output=tmp_path / "o", config="quick")
    before = (tmp_path / "o" / "profile.json").read_bytes()
    with pytest.raises(OutputError, match=r"other seed.*restart=True"):
        analyze(output=tmp_path / "o", config="quick", seed=1)
    assert (tmp_path / "o" / "profile.json").read_bytes() == before
    assert analyze(output=tmp_path / "o", config="quick", seed=1, restart=True).provenance.seed == 1
    assert analyze(output=tmp_path / "o", config="quick", seed=1, batch_size=8).provenance.seed == 1


def test_other_pixels_under_the_same_labels_are_refused(tmp_path: Path) -> None:
    def data(offset: int) -> list[tuple[Any, int]]:
        return [(picture(offset + number, number % 3), number % 3) for number in range(30)]

    options: dict[str, Any] = {"class_names": NAMES, "mean": HALF, "std": QUARTER}
    options |= {"output": tmp_path / "o", "config": "quick"}
    cuesense.analyze(Meanest(), data(0), **options)
    with pytest.raises(OutputError, match="none of these 30 with its label"):
        cuesense.analyze(Meanest(), data(1000), **options)


def test_whole_shards_outlive_a_failure_that_comes_later(tmp_path: Path) -> None:
    calls = []

    def tires(images: Tensor) -> Tensor:
        calls.append(len(images))
        if len(calls) > 45 + 6:  # six batches are those that every network is tried on
            raise RuntimeError("tired")
        return Meanest()(images)

    with pytest.raises(ModelError, match="tired"):
        run_analysis(classifier(tires), Colors(300), output=tmp_path / "o", config="quick", batch_size=16)
    assert len(list((tmp_path / "o" / "outcomes").glob("shard-*"))) == 1
