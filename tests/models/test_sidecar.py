"""Small files beside weights: which counts first, and what is wrong with one in a sentence."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from cuesense.errors import ModelError
from cuesense.models.carried import NOTHING
from cuesense.models.sidecar import KEYS, said_about

ROOT = Path(__file__).parent.parent.parent
HALF = {"mean": [0.5] * 3, "std": [0.5] * 3}


def test_nothing_beside_says_nothing(tmp_path):
    assert said_about(tmp_path / "best.pt", {}) == NOTHING


def test_the_users_file_comes_first_then_the_weights_then_the_library_s(tmp_path):
    (tmp_path / "best.toml").write_text("image_size = 48\nresize = 0\n")
    (tmp_path / "preprocessor_config.json").write_text(
        json.dumps(
            {"do_resize": True, "size": {"height": 96, "width": 96}, "image_mean": [0.1] * 3, "image_std": [1] * 3}
        )
    )
    file = tmp_path / "best.pt"
    found = said_about(file, {"args": {"img_size": 64, **HALF}})
    assert (found.image_size, found.resize, found.mean) == ((48, 48), 0, (0.5, 0.5, 0.5))
    (tmp_path / "best.toml").unlink()
    found = said_about(file, {"args": {"img_size": 64, **HALF}})
    # The resizing of another size is not taken with this one.
    assert (found.image_size, found.resize, found.mean) == ((64, 64), None, (0.5, 0.5, 0.5))
    found = said_about(file, {})
    assert (found.image_size, found.resize, found.mean) == ((96, 96), 0, (0.1, 0.1, 0.1))


@pytest.mark.parametrize("name", ["best.toml", "best.json", "model.toml", "model.json"])
def test_files_of_each_name_are_read(tmp_path, name):
    text = "image_size = 48" if name.endswith("toml") else '{"image_size": 48}'
    (tmp_path / name).write_text(text)
    assert said_about(tmp_path / "best.pt", {}).image_size == (48, 48)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("imagesize = 48", "among image_size, .*but got 'imagesize'"),
        ("image_size = 0", "image_size in .* to be a side in pixels from 1 to 4096.*but got 0"),
        ("mean = [0.5, 0.5, 0.5]", "mean in .* to be three numbers, with a std"),
        ('channels = "gbr"', "channels in .* to be rgb or bgr, but got gbr"),
        ("image_size = ", "a TOML file of settings"),
    ],
)
def test_a_mistake_in_the_users_file_is_one_sentence(tmp_path, text, message):
    (tmp_path / "best.toml").write_text(text)
    with pytest.raises(ModelError, match=message):
        said_about(tmp_path / "best.pt", {})


@pytest.mark.parametrize("text", ["{", "[1]", '{"loss": 0.1}', '"text"'])
def test_a_json_file_of_something_else_says_nothing(tmp_path, text):
    for name in ("best.json", "config.json"):
        (tmp_path / name).write_text(text)
    assert said_about(tmp_path / "best.pt", {}) == NOTHING


def test_the_documents_example_means_something(tmp_path):
    text = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "models.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "best.toml").write_text(text[1])
    found = said_about(tmp_path / "best.pt", {})
    assert set(tomllib.loads(text[1])) <= set(KEYS)
    assert (found.image_size, found.resize, found.channels) == ((64, 64), 72, "rgb")


@pytest.mark.parametrize("name", ["best.json", "config.json"])
def test_a_value_that_cannot_be_is_said_of_the_file_that_has_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(json.dumps({"mean": [0.5, 0.5, 0.5], "std": [0, 0, 0]}))
    (said,) = said_about(tmp_path / "best.pt", {}).ignored
    assert said.startswith(f"The file {tmp_path / name} says mean = ")
