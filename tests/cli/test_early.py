"""What is wrong with a command's names comes in one answer, before torch is imported."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cuesense.cli.early import refuse_early
from cuesense.datasets.load import DatasetOptions, load_dataset
from cuesense.errors import CuesenseError, DatasetError, ModelError, SettingsError
from cuesense.models.file_formats import read
from tests.conftest import make_folder
from tests.helpers.command_line import run_python

NOWHERE = DatasetOptions()
ROOT = "neither --data-root nor CUESENSE_DATA"
NEEDS_ARCH = "A file that holds weights only also needs --arch."


def refused(model: str, arch: str | None, dataset: str, where: DatasetOptions = NOWHERE) -> tuple[type, str]:
    with pytest.raises(CuesenseError) as caught:
        refuse_early(model, arch, dataset, where)
    assert "\n" not in caught.value.for_command_line
    return type(caught.value), caught.value.for_command_line


def sentence_of(call: Callable[..., object], *given: object) -> str:
    with pytest.raises(CuesenseError) as caught:
        call(*given)
    return caught.value.for_command_line


@pytest.fixture(autouse=True)
def no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUESENSE_DATA", raising=False)
    # Names are looked up in the source of a library only where it is not imported.
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)


def test_model_architecture_and_images_in_one_answer() -> None:
    kind, said = refused("gone.pt", None, "imagenet")
    assert kind is ModelError
    assert [said.count(part) for part in ("'gone.pt'", NEEDS_ARCH, ROOT)] == [1, 1, 1]
    kind, said = refused("gone.pt", "resnet18", "imagenet")
    assert [said.count(part) for part in ("'gone.pt'", NEEDS_ARCH, "torchvision:resnet18", ROOT)] == [1, 0, 1, 1]
    assert said.index("'gone.pt'") < said.index("torchvision:resnet18") < said.index(ROOT)
    assert refused("timmm:resnet18", None, "gone/val")[0] is SettingsError


@pytest.mark.parametrize("model", ["net.onnx", "resnet18", "torchvision:resnet19"])
def test_what_needs_no_architecture(model: str) -> None:
    assert NEEDS_ARCH not in refused(model, None, "imagenet")[1]


def test_images_that_are_there_are_not_named(tmp_path: Path) -> None:
    make_folder(tmp_path / "photos", 1)
    assert "photos" not in refused("gone.pt", None, str(tmp_path / "photos"))[1]


def test_images_are_read_only_where_something_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(tmp_path / "photos", 1)
    monkeypatch.setattr("cuesense.cli.early.load_dataset", None)
    refuse_early("torchvision:resnet18", None, str(tmp_path / "photos"), NOWHERE)


PROGRAM = {"net/data.pkl": b"", "net/code/net.py": b""}
WEIGHTS = {"net/data.pkl": b"", "net/data/0": b""}


def zipped(path: Path, members: dict[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return str(path)


@pytest.mark.parametrize("dataset", ["gone/val", "words.md"])
def test_images_that_are_not_there_are_named_where_the_model_needs_no_further_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("words.md").write_text("words")
    program, weights = zipped(tmp_path / "p.pt", PROGRAM), zipped(tmp_path / "w.pt", WEIGHTS)
    usual = sentence_of(load_dataset, dataset)
    given = [
        ("torchvision:resnet18", None),
        (program, None),
        (weights, "torchvision:resnet18"),
        (f"torchvision:alexnet@{weights}", None),
    ]
    assert [refused(model, arch, dataset) for model, arch in given] == [(DatasetError, usual)] * len(given)
    # Which --arch fits them is part of the answer, and only torch can read them.
    refuse_early(weights, None, dataset, NOWHERE)
    both = sentence_of(refuse_early, program, None, dataset, NOWHERE, "gone.txt")
    assert "'gone.txt'" in both
    assert both.endswith(usual)


@pytest.mark.parametrize(
    "content", [b"version https://git-lfs.github.com/spec/v1", b"<html>", b"\x89HDF\r\n\x1a\n", b"\x1c\0\0\0TFL3", b""]
)
@pytest.mark.parametrize("named", ["{}", "onnx:{}", "torchvision:alexnet@{}"])
def test_a_file_of_another_kind_is_told_as_by_its_reader(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    kind, said = refused(named.format(path), None, "gone/val")
    assert (kind, said) == (ModelError, f"{sentence_of(read, path)} {sentence_of(load_dataset, 'gone/val')}")


def test_a_configuration_stands_for_its_folder(tmp_path: Path) -> None:
    make_folder(tmp_path / "photos", 1)
    (tmp_path / "config.json").write_text("{}")
    refuse_early(str(tmp_path / "config.json"), None, str(tmp_path / "photos"), NOWHERE)


def test_nothing_is_fetched_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: object, **options: object) -> None:
        raise DatasetError(f"asked {options}")

    monkeypatch.setattr("cuesense.cli.early.load_dataset", fetch)
    assert "asked {'data_root': None, 'split': 'val'}" in refused("gone.pt", None, "x", DatasetOptions(None, "val"))[1]
    assert "asked" not in refused("gone.pt", None, "x", DatasetOptions(download=True))[1]


def test_torch_is_not_imported(tmp_path: Path) -> None:
    model = zipped(tmp_path / "p.pt", {**PROGRAM, "net/model.weights.h5": b""})
    code = (
        "import sys\n"
        "from cuesense.cli.early import refuse_early\n"
        "from cuesense.datasets.load import DatasetOptions\n"
        "try:\n"
        f"    refuse_early({str(model)!r}, None, 'gone/val', DatasetOptions())\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, 'torch' in sys.modules)\n"
    )
    assert run_python(code).stdout.split() == ["DatasetError", "False"]
