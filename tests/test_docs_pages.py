"""Every command and program on the pages of the documentation runs, page by page, as a reader would run it."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from cuesense.cli.app import app
from cuesense.models.compact import build
from cuesense.training import setup
from tests.helpers.documents import Reader, blocks, commands
from tests.helpers.small_networks import picture

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# The pages whose blocks run. The others hold no blocks, or are held to the truth elsewhere (tests/test_docs.py).
PAGES = ("quickstart", "report", "training", "auditing", "ci", "index", "faq")
# What cannot run on a bare machine, and what is checked instead.
NOT_RUN = {
    "git clone": "there is no network",
    "python3 -m venv": "an installation of its own; tests/test_wheel.py builds and installs the package",
    ".venv/bin/pip install": "needs a package registry; the files and extras that it names are checked",
    "source .venv": "there is no such environment",
    "pip install": "needs a package registry; the files and extras that it names are checked",
    "python train.py photos": "timm's training script, which is not installed; tests/exporters run its parser",
    "cuesense demo": "takes a minute; tests/test_docs.py runs it",
    "yolo classify": "Ultralytics is not installed; tests/exporters check its hyperparameters",
}
# The side to which the pages' programs resize: a network that saw others would be looked for at other sizes.
SIDE = 64
CLASSES = ("color-0", "shape-2", "texture-0")
NETWORK = (
    "from cuesense.models.compact import build as compact\n\n\ndef build(classes=3):\n    return compact(classes)\n"
)
ANALYZE = ["analyze", "best.pt", "--arch", "python:network:build", "--dataset", "photos/val", "--output"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with what the pages speak of: weights and code of a network, photos in three parts, profiles, runs.

    Trainings are cut to one pass over the images, so that the whole of a page takes seconds.
    """
    folder = tmp_path_factory.mktemp("pages")
    for place, (part, images) in enumerate(
        (("photos/val", 12), ("photos/train", 8), ("photos/test", 8), ("flowers", 6))
    ):
        write_images(folder / part, images, first=1000 * place)
    (folder / "network.py").write_text(NETWORK)
    (folder / "model.toml").write_text("mean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]\n")
    train(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        patch.setattr(setup, "SCRATCH", replace(setup.SCRATCH, epochs=1))
        for arguments in ([*ANALYZE, "out"], [*ANALYZE, "baseline", "--config", "quick"]):
            done = CliRunner().invoke(app, arguments)
            assert done.exit_code == 0, done.output
        yield folder


def write_images(folder: Path, images_per_class: int, first: int) -> None:
    for label, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for number in range(images_per_class):
            image = Image.fromarray(picture(first + 100 * label + number, label, SIDE))
            image.save(folder / name / f"{number:03d}.png")


def train(folder: Path) -> None:
    """Train ``best.pt`` to tell bright channels, and write it as ``new.pt`` and as the runs of a sweep, too."""
    torch.manual_seed(0)
    network = build(3)
    labels = torch.arange(48) % 3
    images = torch.stack([torch.from_numpy(picture(5000 + n, n % 3, SIDE)) for n in range(48)]).permute(0, 3, 1, 2)
    optimizer = torch.optim.Adam(network.parameters(), lr=4e-3)
    for _ in range(12):
        loss = torch.nn.functional.cross_entropy(network((images / 255 - 0.5) / 0.25), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    (folder / "runs").mkdir()
    runs = [folder / "runs" / f"decay-{decay}-seed-{seed}.pt" for decay in ("0", "0.1") for seed in range(2)]
    for path in (folder / "best.pt", folder / "new.pt", *runs):
        torch.save(network.state_dict(), path)


# Lightning warns of few workers and of what torch renames.
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_runs(
    page: str, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(world, tmp_path / "place")
    monkeypatch.chdir(tmp_path / "place")
    monkeypatch.syspath_prepend(str(tmp_path / "place"))
    forget(monkeypatch, "network", "transform")
    reader = Reader(NOT_RUN)
    for block in blocks((DOCS / f"{page}.md").read_text(encoding="utf-8")):
        reader.follow(block)
    capsys.readouterr()


def forget(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Let programs of this page import their own modules of these names."""
    for name in modules:
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_what_is_not_run_names_files_and_extras_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for page in DOCS.rglob("*.md"):
        for extras in re.findall(r"cuesense\[([\w,]+)\]", page.read_text(encoding="utf-8")):
            assert set(extras.split(",")) <= set(project["optional-dependencies"]), page.name
    assert (ROOT / "constraints.txt").is_file()


def test_every_reason_not_to_run_is_needed() -> None:
    shown = [
        command
        for page in PAGES
        for block in blocks((DOCS / f"{page}.md").read_text(encoding="utf-8"))
        if block.language in ("sh", "yaml")
        for command in commands(block.code)
    ]
    for beginning in NOT_RUN:
        assert any(beginning in command for command in shown), beginning
