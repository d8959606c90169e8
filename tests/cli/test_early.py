"""What is wrong with a command's names comes in one answer, before torch is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from cuesense.cli.early import refuse_early
from cuesense.datasets.load import DatasetOptions
from cuesense.errors import CuesenseError, DatasetError, ModelError, SettingsError
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


@pytest.fixture(autouse=True)
def no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUESENSE_DATA", raising=False)


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


def test_images_are_looked_at_only_where_something_else_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "net.pt").touch()
    refuse_early(str(tmp_path / "net.pt"), "torchvision:resnet18", "gone/val", NOWHERE)


def test_nothing_is_fetched_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: object, **options: object) -> None:
        raise DatasetError(f"asked {options}")

    monkeypatch.setattr("cuesense.cli.early.load_dataset", fetch)
    assert "asked {'data_root': None, 'split': 'val'}" in refused("gone.pt", None, "x", DatasetOptions(None, "val"))[1]
    assert "asked" not in refused("gone.pt", None, "x", DatasetOptions(download=True))[1]


def test_torch_is_not_imported() -> None:
    code = (
        "import sys\n"
        "from cuesense.cli.early import refuse_early\n"
        "from cuesense.datasets.load import DatasetOptions\n"
        "try:\n"
        "    refuse_early('gone.pt', None, 'imagenet', DatasetOptions())\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, 'torch' in sys.modules)\n"
    )
    assert run_python(code).stdout.split() == ["ModelError", "False"]
