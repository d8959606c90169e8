"""Files a user would have: a small exported network, folders of images, a table."""

import os
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from PIL import Image

from cuesense import registry
from tests.helpers.small_networks import NAMES, SIZE, Meanest, picture

# Derandomized, so that a run is the same everywhere. Forty examples instead of the usual hundred keep ./check short;
# chosen by hand.
settings.register_profile("cuesense", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("cuesense")

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores: several threads each would wait for one another. The variable is for child processes.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``.pt2`` that tells red, green and blue apart at 16 x 16 pixels."""
    path = tmp_path_factory.mktemp("model") / "model.pt2"
    batch = {"images": {0: torch.export.Dim("batch", min=1, max=128)}}
    torch.export.save(torch.export.export(Meanest(), (torch.rand(2, 3, SIZE, SIZE),), dynamic_shapes=batch), path)
    return path


@pytest.fixture(scope="session")
def photos_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three class folders of twenty PNG files."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    make_folder(folder, 20)
    return folder


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Make entry points the only plug-ins that are installed, of one kind."""

    def install(kind: str, *points: EntryPoint) -> None:
        monkeypatch.setattr(registry, "entry_points", lambda group: points if group == f"cuesense.{kind}" else ())
        registry.plugins.cache_clear()

    yield install
    registry.plugins.cache_clear()


@pytest.fixture
def three_threads() -> Iterator[None]:
    """Let torch use three threads, whatever the machine has."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def ray_is_running() -> Iterator[None]:
    """Start Ray with two cores, as a user's program does before it calls cuesense."""
    import ray

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture
def two_workers(ray_is_running: None) -> Iterator[None]:  # noqa: ARG001
    """Ray with two cores; one thread here, as in its workers, because some sums depend on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_folder(folder: Path, images_per_class: int, first: int = 0) -> None:
    for label, name in enumerate(NAMES):
        (folder / name).mkdir(parents=True)
        for number in range(images_per_class):
            image = Image.fromarray(picture(first + 100 * label + number, label))
            image.save(folder / name / f"{number:03d}.png")
