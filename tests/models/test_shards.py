"""Weights in several files: the same network as from one file, and one sentence for what is missing."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cuesense.errors import ModelError
from cuesense.models.load import load_classifier
from cuesense.models.trust import Trust

SAVE: dict[str, Callable[[Any, Path], object]] = {"safetensors": save_file, "bin": torch.save}


def in_shards(folder: Path, network: nn.Module, end: str = "safetensors", stem: str = "model") -> Path:
    """Write the weights of a network into two files with an index, and return the index."""
    state = network.state_dict()
    names = [f"{stem}-0000{number}-of-00002.{end}" for number in (1, 2)]
    table = {key: names[number % 2] for number, key in enumerate(state)}
    for name in names:
        SAVE[end]({key: value for key, value in state.items() if table[key] == name}, folder / name)
    index = folder / f"{stem}.{end}.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 99}, "weight_map": table}, indent=2))
    return index


@pytest.mark.parametrize(("end", "stem"), [("safetensors", "model"), ("bin", "pytorch_model")])
@pytest.mark.parametrize("named", ["index", "folder"])
def test_all_files_are_read(
    tmp_path: Path, tiny: nn.Module, same: Any, factory_module: str, end: str, stem: str, named: str
) -> None:
    (tmp_path / "run").mkdir()
    index = in_shards(tmp_path / "run", tiny, end, stem)
    spec = index if named == "index" else index.parent
    found = load_classifier(str(spec), arch=factory_module, trust=Trust())
    assert same(found.network)
    assert found.sha256 == hashlib.sha256(b"".join(map(Path.read_bytes, [index, *sorted(_shards(index))]))).hexdigest()


def _shards(index: Path) -> list[Path]:
    return [path for path in index.parent.iterdir() if "-of-" in path.name]


def test_what_has_changed_in_any_file_changes_the_digest(tmp_path: Path, tiny: nn.Module, factory_module: str) -> None:
    index = in_shards(tmp_path, tiny)
    first = load_classifier(str(index), arch=factory_module).sha256
    with torch.no_grad():
        tiny.get_parameter("6.bias").add_(1)
    in_shards(tmp_path, tiny)
    assert load_classifier(str(index), arch=factory_module).sha256 != first


def test_weights_alone_ask_for_their_architecture(tmp_path: Path, tiny: nn.Module) -> None:
    with pytest.raises(ModelError, match=r"Expected arch to say which network .*index\.json holds the weights of"):
        load_classifier(str(in_shards(tmp_path, tiny)))


def test_what_is_missing_is_named(tmp_path: Path, tiny: nn.Module, factory_module: str) -> None:
    index = in_shards(tmp_path, tiny)
    part = tmp_path / "model-00002-of-00002.safetensors"
    with pytest.raises(ModelError, match=r"got part 2 of 2 of a network's weights\. Give their index, .*index\.json"):
        load_classifier(str(part), arch=factory_module)
    save_file({"other": torch.zeros(2)}, part)
    with pytest.raises(ModelError, match=r"to be complete, but got no '0\.bias', .* more in them"):
        load_classifier(str(index), arch=factory_module)
    part.unlink()
    with pytest.raises(ModelError, match=r"got no model-00002-of-00002\.safetensors\. Download them too"):
        load_classifier(str(index), arch=factory_module)


@pytest.mark.parametrize("name", ["../model.pt", "/etc/passwd", "a/b.safetensors", "", "..", 3, "c:d"])
def test_an_index_names_files_beside_it_alone(tmp_path: Path, factory_module: str, name: object) -> None:
    (tmp_path / "run").mkdir()
    torch.save({"w": torch.zeros(1)}, tmp_path / "model.pt")
    index = tmp_path / "run" / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"w": name}}))
    with pytest.raises(ModelError, match=r"an index of weights in several files, but got files that do not lie beside"):
        load_classifier(str(index), arch=factory_module)


@pytest.mark.parametrize(
    "text", ['{"weight_map": ', '{"weight_map": {}}', '{"weight_map": []}', '{"a": {"weight_map": 1}}']
)
def test_a_damaged_index_is_one_sentence(tmp_path: Path, factory_module: str, text: str) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(text)
    with pytest.raises(ModelError, match=r"to be an index of weights in several files, but got .*Save or download it"):
        load_classifier(str(index), arch=factory_module)


def test_no_program_runs_in_the_place_of_a_part(tmp_path: Path, tiny: nn.Module, factory_module: str) -> None:
    index = in_shards(tmp_path, tiny, "bin", "pytorch_model")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(tiny, torch.zeros(1, 3, 16, 16)).save(str(tmp_path / "pytorch_model-00001-of-00002.bin"))
    with pytest.raises(ModelError, match=r"weights alone, .*got TorchScript, which is a program"):
        load_classifier(str(index), arch=factory_module)
    torch.save(tiny, tmp_path / "pytorch_model-00001-of-00002.bin")
    with pytest.raises(ModelError, match="got a network where a part of its weights was expected"):
        load_classifier(str(index), arch=factory_module)
