"""What is sent to Ray's workers: every kind of model, perturbations of a user's file, and a sentence where it fails."""

from __future__ import annotations

import logging
import sys
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
import torch
from ray import cloudpickle
from torch import nn

from cuesense import registry
from cuesense.config import load_config
from cuesense.errors import ModelError
from cuesense.inference.options import RunOptions
from cuesense.inference.ray_worker import Units, Worker, packed, versions
from cuesense.inference.units import Identities, Run, Unit
from cuesense.models.load import load_classifier
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import Classifier, Condition
from cuesense.workflows.plugin_files import load_plugin
from tests.helpers.engine_runs import CONDITIONS
from tests.helpers.good_models import TENSORS, good_models
from tests.helpers.library_models import hf_folder, onnx_file
from tests.helpers.small_networks import Colors, Meanest, classifier

PLUGIN = """
from dataclasses import replace
import cuesense

def darker(images, value, draws):
    return images * (1 - value)

known = cuesense.registry.get("perturbations", "grayscale")
cuesense.register(replace(known, name="darker_for_a_test", apply=darker))
"""


def sent(model: Classifier, conditions: tuple[Condition, ...] = (Condition(),)) -> Run:
    """Return a run as a worker finds it."""
    run = Run(model, Colors(6), (0, 1, 2), conditions, RunOptions())
    return cloudpickle.loads(content_of(run))()  # type: ignore[no-any-return]


def content_of(run: Run) -> Any:
    """Return what gives back the run in a worker."""
    return packed(partial(replace, run))


KINDS = ("module", "TorchScript", "torch.export", "ONNX", "Hugging Face")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of every kind that carries its network."""
    folder = tmp_path_factory.mktemp("models")
    hf_folder(folder / "hf")
    more = {"ONNX": onnx_file(Meanest(), folder / "network.onnx"), "Hugging Face": folder / "hf"}
    found = {kind: path for kind, path in good_models(folder).items() if kind not in TENSORS} | more
    assert tuple(found) == KINDS
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_answers_the_same_where_it_is_sent_to(
    kind: str, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files[kind].parent)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = load_classifier(files[kind].name)
    sides = model.preprocessing.image_size or (16, 16)
    images = torch.rand(model.fixed_batch or 2, 3, *sides, generator=torch.Generator().manual_seed(0))
    # Relative paths are sent whole.
    monkeypatch.chdir(files[kind].parent.parent)
    found = sent(model).classifier.network
    assert torch.equal(torch.as_tensor(found(images)), torch.as_tensor(model.network(images)))


def test_every_condition_of_the_presets_is_sent() -> None:
    conditions = tuple(load_config("thorough").conditions())
    assert sent(classifier(), conditions).conditions == conditions


def test_a_perturbation_of_a_user_s_file_is_sent_with_its_code(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(PLUGIN)
    load_plugin(tmp_path / "own.py")
    own = registry.get("perturbations", "darker_for_a_test")
    run = Run(classifier(), Colors(6), (0, 1, 2), (Condition(), Condition(own, 1)), RunOptions())
    content = content_of(run)
    # Another process has not run the file.
    del sys.modules[own.apply.__module__]
    found = cloudpickle.loads(content)()
    images = torch.rand(1, 3, 4, 4)
    assert torch.equal(found.conditions[1].perturbation.apply(images, 0.5, None), images * 0.5)


def test_what_cannot_be_sent_is_one_sentence() -> None:
    class Locked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lock = Lock()

    with pytest.raises(ModelError, match=r"sent to the workers of Ray, but got cannot pickle.*can be shared with part"):
        sent(classifier(Locked()))


def test_what_a_worker_cannot_load_is_one_sentence() -> None:
    worker = Worker(str(Path.cwd()))
    missing: Any = b"cno_such_module\nNetwork\n."
    with pytest.raises(ModelError, match=r"loaded by every worker of Ray, but got No module named 'no_such_module'"):
        worker.do(missing, 0)


def test_a_worker_does_a_unit_and_tells_what_it_learned() -> None:
    run = Run(classifier(), Colors(12), (0, 1, 2), tuple(CONDITIONS), RunOptions(batch_size=4))
    identities = Identities(run, OutcomeStore())
    worker = Worker(str(Path.cwd()))
    (shard, learned), warnings = worker.do(packed(partial(Units, run, identities)), Unit(tuple(range(6)), (0, 2)))
    assert warnings == []
    assert shard.predicted.shape == (2, 6)
    assert learned == {}, "what is kept in memory has no digests"
    other = packed(partial(Units, replace(run, dataset=Colors(3)), identities))
    (again, _), _ = worker.do(other, Unit((7, 8), (0,)))
    assert again.predicted.shape == (1, 2), "the first content counts: the network is loaded once"
    assert worker.ready() == versions()
    assert versions()["torch"].partition("+")[0] == torch.__version__.partition("+")[0]


def test_a_worker_tells_what_it_was_warned_of() -> None:
    def warn(task: int) -> int:
        logging.getLogger("cuesense.models").warning("task %d is slow", task)
        logging.getLogger("cuesense.models").info("nobody asks")
        return task

    worker, content = Worker(str(Path.cwd())), packed(lambda: warn)
    assert worker.do(content, 1) == (1, ["task 1 is slow"])
    assert worker.do(content, 2) == (2, ["task 2 is slow"])
