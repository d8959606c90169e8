"""A transform is found in a program, in flags, in a file or in Python; a program asks for permission first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torchvision import transforms

from cuesense.errors import ModelError, SettingsError
from cuesense.models.trust import OWN_WORD, Trust
from cuesense.pipelines.source import Source, find

PROGRAM = """
from pathlib import Path
from torchvision import transforms
from steps_beside import P
Path(__file__).with_name("ran").touch()
transform = transforms.RandomHorizontalFlip(P)
steps = [transforms.RandomVerticalFlip(), transforms.ToTensor()]
def build():
    return transforms.RandomInvert(P)
def single(image):
    return image
number = 3
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "steps_beside.py").write_text("P = 0.3\n")
    path = tmp_path / "train.py"
    path.write_text(PROGRAM)
    return path


def found(spec: Any, trust: Trust = OWN_WORD) -> Source:
    source = find(spec, None, None, trust)
    assert source is not None
    return source


def test_a_transform_of_a_program_is_found(program: Path) -> None:
    assert repr(found(f"{program}:transform").made((8, 8))) == "RandomHorizontalFlip(p=0.3)"
    assert len(found(f"{program}:steps").made(None)) == 2
    # A function without parameters makes the transform; one of an image is it.
    assert repr(found(f"{program}:build").made(None)) == "RandomInvert(p=0.3)"
    assert found(f"{program}:single").made(None)(5) == 5


def test_a_program_is_refused_where_only_weights_are_read(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="a Python file, which is a program") as error:
        found(f"{program}:transform", Trust(weights_only=True))
    # The sentence is about the pipeline, not about weights.
    assert "safetensors" not in str(error.value)
    assert "Name the transform by --timm-args" in error.value.for_command_line
    monkeypatch.setenv("CUESENSE_WEIGHTS_ONLY", "1")
    with pytest.raises(ModelError, match="CUESENSE_WEIGHTS_ONLY"):
        found(f"{program}:transform")
    assert not program.with_name("ran").exists()


def test_the_text_of_a_program_tells_it_from_others(program: Path) -> None:
    before = found(f"{program}:transform").text
    assert found(f"{program}:transform").text == before
    assert found(f"{program}:build").text != before
    program.write_text(f"{PROGRAM}\n# changed\n")
    assert found(f"{program}:transform").text != before


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("{file}:transfrom", "Did you mean 'transform'?"),
        ("{file}:number", "but got an object of type int"),
        ("{file}", "FILE.py:NAME or an Ultralytics .yaml file"),
        ("{folder}/none.py:transform", "no file at"),
        ("{folder}/args.yaml", "no file at"),
        ("{file}:a.b", "FILE.py:NAME"),
    ],
)
def test_wrong_places_are_one_sentence(program: Path, spec: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        found(spec.format(file=program, folder=program.parent))
    assert sentence in str(error.value)


@pytest.mark.parametrize("line", ["raise SystemExit(3)", "import nowhere_at_all"])
def test_a_program_that_fails_is_one_sentence(tmp_path: Path, line: str) -> None:
    path = tmp_path / "train.py"
    path.write_text(f"{line}\n")
    with pytest.raises(SettingsError, match="a file that can be imported"):
        found(f"{path}:transform")


def test_a_function_that_fails_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("def build():\n    raise KeyError('x')\n")
    with pytest.raises(SettingsError, match="callable without arguments, but got KeyError"):
        found(f"{path}:build")


def test_flags_and_files_make_a_transform_for_the_network_s_size(tmp_path: Path) -> None:
    (tmp_path / "args.yaml").write_text("fliplr: 0.5\n")
    for source in (
        find(None, "--reprob 0.2", None, OWN_WORD),
        find(None, None, "--random-erase 0.2", OWN_WORD),
        find(tmp_path / "args.yaml", None, None, OWN_WORD),
    ):
        assert source is not None
        assert source.made((24, 24)).transforms[0].size == (24, 24)
        assert source.made(None).transforms[0].size == (224, 224)


def test_at_most_one_is_given() -> None:
    assert find(None, None, None, OWN_WORD) is None
    with pytest.raises(SettingsError, match="given once, but got pipeline and timm_args"):
        find(transforms.ToTensor(), "--aa x", None, OWN_WORD)


def test_what_is_no_transform_is_refused() -> None:
    with pytest.raises(SettingsError, match="a transform, but got an object of type int"):
        find(3, None, None, OWN_WORD)
