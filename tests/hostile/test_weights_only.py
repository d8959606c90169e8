"""With only weights allowed, no file of any container runs, writes or takes memory, and sound weights still load."""

from __future__ import annotations

import importlib
import os
import pickle
import random
import sys
import time
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

from cuesense.errors import ModelError, SettingsError
from cuesense.models import compact
from cuesense.models.compact import build
from cuesense.models.load import load_classifier
from cuesense.models.trust import COMPACT, OWN_WORD, VARIABLE, Trust
from cuesense.models.weights import MisfitError
from tests.helpers.good_models import TENSORS, good_models, small_network
from tests.helpers.hostile_files import CONTAINERS, damaged, deeds, hostile_files, listed, named
from tests.helpers.watched import watched

STRICT = Trust(weights_only=True)
ARCH = "python:tests.helpers.good_models:small_network"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return good_models(tmp_path_factory.mktemp("good"))


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a module that leaves something when it is imported."""
    (tmp_path / "canaries").mkdir()
    deed = f"open({str(tmp_path / 'canaries' / 'imported')!r}, 'w').close()\n"
    for name in ("evil.py", "evil_plugin.py"):
        (tmp_path / name).write_text(deed + "def build(*_): ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def untouched(folder: Path) -> bool:
    return not list((folder / "canaries").iterdir())


def test_hostile_files_of_every_container_do_nothing(workplace: Path) -> None:
    path = workplace / "model.pt"
    # What the first refusals import is no deed of the others, nor is the import of our own loader.
    importlib.import_module("cuesense.models.python")
    path.write_bytes(b"\x80\x02cos\nsystem\n.")
    with pytest.raises(ModelError):
        load_classifier(str(path), arch=COMPACT, trust=STRICT)
    started = time.process_time()
    kinds = set()
    for kind, data in hostile_files(240, workplace / "canaries", seed=1):
        path.write_bytes(data)
        with watched() as done, pytest.raises(ModelError) as caught:
            load_classifier(str(path), arch=COMPACT, trust=STRICT)
        assert done == [], kind
        assert "\n" not in str(caught.value)
        kinds.add(kind.partition(":")[0])
    assert kinds == CONTAINERS.keys()
    assert untouched(workplace)
    assert sorted(path.name for path in workplace.iterdir()) == ["canaries", "evil.py", "evil_plugin.py", "model.pt"]
    assert time.process_time() - started < 20


def test_the_deeds_and_the_watch_are_real(tmp_path: Path) -> None:
    calls = dict(deeds(tmp_path / "made"))
    for name in ("os.mkdir", "builtins.open", "os.symlink"):
        with watched() as done:
            made = pickle.loads(b"\x80\x02" + named(name) + listed(calls[name]) + b"R.")  # noqa: S301 - the attack
        if hasattr(made, "close"):
            made.close()
        assert any("made" in event for event in done), name
        assert os.path.lexists(tmp_path / "made")
        (tmp_path / "made").rmdir() if name == "os.mkdir" else (tmp_path / "made").unlink()


@pytest.mark.parametrize("spec", ["python:evil:build", "python:cuesense.models.compact:builds", "plugged:x"])
@pytest.mark.parametrize("how", ["argument", "environment", "both and code allowed"])
def test_specs_that_run_code_are_refused_before_it_is_imported(
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
    plug: Callable[[str, EntryPoint], None],
    models: dict[str, Path],
    spec: str,
    how: str,
) -> None:
    plug("models", EntryPoint("plugged", "evil_plugin:build", "cuesense.models"))
    if how != "argument":
        monkeypatch.setenv(VARIABLE, "Yes")
    trust = Trust(weights_only=how != "environment", allow_code=how.startswith("both"))
    for arguments in ({"spec": spec}, {"spec": str(models["state dict"]), "arch": spec}):
        with pytest.raises(ModelError, match=r"weights alone.*which is a program"):
            load_classifier(**arguments, trust=trust)
    with pytest.raises(ModelError, match="weights alone"):
        load_classifier(f"{spec}@{models['state dict']}", trust=trust)
    assert untouched(workplace)
    assert "evil" not in sys.modules


@pytest.mark.parametrize("kind", ["module", "TorchScript", "torch.export"])
def test_programs_are_refused_also_for_their_weights(models: dict[str, Path], kind: str) -> None:
    for arch in (None, COMPACT, "timm:resnet18"):
        with pytest.raises(ModelError, match=r"state_dict\(\)") as caught:
            load_classifier(str(models[kind]), arch=arch, trust=STRICT)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["2", "y", "weights", "1 0"])
def test_a_variable_that_says_neither_yes_nor_no_is_an_error(
    monkeypatch: pytest.MonkeyPatch, models: dict[str, Path], value: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(SettingsError, match=f"{VARIABLE} to be one of 1, true, yes, on or of 0"):
        load_classifier(str(models["TorchScript"]))


@pytest.mark.parametrize("value", ["", "0", "False", "no", "OFF"])
def test_a_variable_that_says_no_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, models: dict[str, Path], value: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert load_classifier(str(models["TorchScript"])).architecture == "TorchScript"


@pytest.mark.parametrize("kind", ["zip", "before 1.6", "checkpoint"])
def test_sound_weights_load_as_they_are(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(1)
    network = build().eval()
    content = {"state_dict": network.state_dict(), "epoch": 1} if kind == "checkpoint" else network.state_dict()
    torch.save(content, tmp_path / "m.pt", _use_new_zipfile_serialization=kind != "before 1.6")
    classifier = load_classifier(str(tmp_path / "m.pt"), arch=COMPACT, trust=STRICT)
    images = torch.rand(2, 3, 64, 64)
    assert torch.equal(classifier.network(images), network(images))


@pytest.mark.parametrize(("classes", "size", "widths"), [(3, 32, (4, 6)), (1, 96, (5,)), (200, 224, (4, 6, 8, 9, 7))])
def test_the_compact_network_has_the_size_that_its_weights_say(
    tmp_path: Path, classes: int, size: int, widths: tuple[int, ...]
) -> None:
    network = build(classes, size, widths).eval()
    torch.save({f"module.{key}": value for key, value in network.state_dict().items()}, tmp_path / "m.pt")
    classifier = load_classifier(str(tmp_path / "m.pt"), arch=COMPACT, trust=STRICT)
    images = torch.rand(2, 3, size, size)
    assert torch.equal(classifier.network(images), network(images))


@pytest.mark.parametrize(
    "changed",
    [
        {"7.weight": torch.zeros(10**9, 0)},
        {"7.weight": torch.tensor(1.0)},
        {"0.0.weight": torch.zeros(16, 3, 1, 1)},
        {"0.0.weight": torch.zeros(16, 3)},
        {"2.shortcut.0.weight": torch.zeros(10**6, 0, 1, 1)},
    ],
)
def test_weights_that_are_no_compact_network_are_refused_before_it_is_built(changed: dict[str, torch.Tensor]) -> None:
    with pytest.raises(MisfitError, match="of another shape"):
        compact.load({**build().state_dict(), **changed}, COMPACT)


@pytest.mark.parametrize("trust", [STRICT, OWN_WORD])
def test_code_is_advised_only_where_it_may_run(tmp_path: Path, trust: Trust) -> None:
    torch.save({"w": torch.ones(1)}, tmp_path / "m.pt")
    with pytest.raises(ModelError, match="Pass the architecture it was trained with") as caught:
        load_classifier(str(tmp_path / "m.pt"), trust=trust)
    assert ("python:module:factory" in str(caught.value)) == (trust is OWN_WORD)


def test_damaged_files_are_one_sentence_or_a_model(
    tmp_path: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the weights of a damaged file might fit is another question, which takes seconds.
    monkeypatch.setattr("cuesense.models.load._advice", lambda _: "Pass another")
    random_ = random.Random(2)
    path = tmp_path / "damaged.pt"
    refused = 0
    for kind, good in models.items():
        for _ in range(6 if kind == "torch.export" else 20):
            path.write_bytes(damaged(good.read_bytes(), random_))
            sentence = sentence_of(path, ARCH if kind in TENSORS else None)
            assert "\n" not in sentence
            refused += sentence != ""
    assert refused > 70


def sentence_of(path: Path, arch: str | None) -> str:
    """Return the sentence with which a file is refused; none for one that loads."""
    try:
        load_classifier(str(path), arch=arch)
    except ModelError as error:
        return str(error)
    return ""


def test_the_undamaged_files_load(models: dict[str, Path]) -> None:
    images = torch.rand(2, 3, 16, 16)
    for kind, path in models.items():
        network = load_classifier(str(path), arch=ARCH if kind in TENSORS else None).network
        assert torch.allclose(network(images), small_network()(images), atol=1e-6), kind
